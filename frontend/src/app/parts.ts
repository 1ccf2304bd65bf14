/** The parts of the house as the navigation shows them. A new part adds its line here, and nowhere else. */
import { Database, Hash, Info, type LucideIcon, Map as MapIcon } from "lucide-react";
import { type ComponentType, lazy, type LazyExoticComponent } from "react";

export type Part = {
  /** Where the part lives; `path/*` belongs to it. */
  path: string;
  /** Key of its name in words/. */
  name: string;
  icon: LucideIcon;
  page: LazyExoticComponent<ComponentType>;
};

export const PARTS: Part[] = [
  { path: "/", name: "map.name", icon: MapIcon, page: lazy(() => import("../map/MapPage")) },
  { path: "/data", name: "data.name", icon: Database, page: lazy(() => import("../data/DataPage")) },
  { path: "/codes", name: "codes.name", icon: Hash, page: lazy(() => import("../codes/CodePage")) },
  { path: "/about", name: "about.name", icon: Info, page: lazy(() => import("../about/AboutPage")) },
];
