// Estimates how long the courier's cargo bike takes from the bakery to a place.

const BAKERY = { latitude: 48.8867, longitude: 2.3431 };
const BIKE_KM_PER_HOUR = 18;
const EARTH_RADIUS_KM = 6371;

/**
 * Returns the minutes by bike, in a straight line, rounded up.
 * @param latitude in degrees, -90 to 90
 * @param longitude in degrees, -180 to 180
 * @throws {RangeError} if a coordinate is out of range.
 */
export function minutesAway(latitude: number, longitude: number): number {
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) {
    throw new RangeError(`no such place: latitude ${latitude}, longitude ${longitude}`);
  }
  return Math.ceil((kilometresFromBakery(latitude, longitude) / BIKE_KM_PER_HOUR) * 60);
}

/** The haversine formula, https://en.wikipedia.org/wiki/Haversine_formula */
function kilometresFromBakery(latitude: number, longitude: number): number {
  const north = radians(latitude - BAKERY.latitude);
  const east = radians(longitude - BAKERY.longitude);
  const shrink = Math.cos(radians(latitude)) * Math.cos(radians(BAKERY.latitude));
  const half = Math.sin(north / 2) ** 2 + shrink * Math.sin(east / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(half)));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
