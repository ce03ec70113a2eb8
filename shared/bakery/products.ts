// Lists what the bakery sells. The order of the list is the order of the shelf, of search results
// and of the till.

/** A product on the shelf. */
export interface Product {
  /** Lower-case letters, digits and hyphens. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly priceCents: number;
  readonly unitsInStock: number;
}

/** The products and their stock when a server starts. */
export const morningProducts: readonly Product[] = [
  product("sourdough", "Sourdough loaf", "Wheat, slowly risen, with a dark crust", 650, 12),
  product("rye", "Rye bread", "Whole rye with caraway, keeps for a week", 580, 8),
  product("baguette", "Baguette", "Wheat, thin crust, best on the day", 290, 20),
  product("ciabatta", "Ciabatta", "Olive oil dough with an open crumb", 340, 10),
  product("croissant", "Butter croissant", "Folded twenty-seven times, all butter", 310, 24),
  product("pain-au-chocolat", "Pain au chocolat", "Croissant dough around dark chocolate", 360, 18),
  product("brioche", "Brioche", "Soft, sweet loaf with butter and eggs", 520, 6),
  product("cinnamon-roll", "Cinnamon roll", "Sweet dough, cinnamon and brown sugar", 380, 15),
  product("apple-tart", "Apple tart", "Thin apple slices on butter pastry", 450, 9),
  product("cheesecake", "Cheesecake", "Baked, with lemon, by the slice", 490, 7),
];

function product(
  id: string,
  name: string,
  description: string,
  priceCents: number,
  unitsInStock: number,
): Product {
  return { id, name, description, priceCents, unitsInStock };
}
