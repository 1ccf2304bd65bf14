/** The parts of the house as the navigation shows them. A new part adds its line here, and nowhere else. */
import {
  Box,
  ClipboardList,
  Database,
  Hash,
  Headset,
  Info,
  type LucideIcon,
  Map as MapIcon,
  RadioTower,
  Scale,
  ScrollText,
  Smartphone,
  UserRound,
  Users,
  Webhook,
} from "lucide-react";
import { type ComponentType, lazy, type LazyExoticComponent } from "react";

export type Part = {
  /** Where the part lives; `path/*` belongs to it. */
  path: string;
  /** Key of its name in words/. */
  name: string;
  icon: LucideIcon;
  page: LazyExoticComponent<ComponentType>;
  /** Reached by links and addresses, not by the navigation. */
  hidden?: boolean;
  /** The action without which the part is of no use to the reader. */
  needs?: string;
};

export const PARTS: Part[] = [
  { path: "/", name: "map.name", icon: MapIcon, page: lazy(() => import("../map/MapPage")) },
  { path: "/cases", name: "cases.name", icon: ClipboardList, page: lazy(() => import("../cases/CasesPage")) },
  { path: "/hotline", name: "hotline.name", icon: Headset, page: lazy(() => import("../hotline/HotlinePage")), needs: "hotline.know" },
  { path: "/data", name: "data.name", icon: Database, page: lazy(() => import("../data/DataPage")) },
  { path: "/field", name: "field.name", icon: Smartphone, page: lazy(() => import("../field/FieldPage")), needs: "case.field" },
  { path: "/sense", name: "sense.name", icon: RadioTower, page: lazy(() => import("../sense/SensePage")) },
  { path: "/codes", name: "codes.name", icon: Hash, page: lazy(() => import("../codes/CodePage")) },
  { path: "/log", name: "log.name", icon: ScrollText, page: lazy(() => import("../log/LogPage")), needs: "log.read" },
  { path: "/policies", name: "policies.name", icon: Scale, page: lazy(() => import("../policies/PoliciesPage")), needs: "policy.read" },
  { path: "/objects", name: "objects.name", icon: Box, page: lazy(() => import("../objects/ObjectPage")), hidden: true },
  { path: "/people", name: "people.name", icon: Users, page: lazy(() => import("../people/PeoplePage")), needs: "people.read" },
  { path: "/webhooks", name: "webhooks.name", icon: Webhook, page: lazy(() => import("../webhooks/WebhooksPage")), needs: "webhook.manage" },
  { path: "/account", name: "account.name", icon: UserRound, page: lazy(() => import("../account/AccountPage")), hidden: true },
  { path: "/about", name: "about.name", icon: Info, page: lazy(() => import("../about/AboutPage")) },
];
