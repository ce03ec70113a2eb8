import { control } from "./shared/course/check/controls.ts";

console.log("RESULT:", await control(import.meta.dirname, "step-10-services", "step-09-tracing"));
