/** City sensing: the map with live values, incidents and rules, one stream, the devices, those at fault, how the intake fares. */
import { useTranslation } from "react-i18next";
import { NavLink, Route, Routes } from "react-router";
import { useMode } from "../app/mode";
import { Tabs } from "../design/Tabs";
import { AlarmWall } from "./AlarmWall";
import "./alarms.css";
import { CellPage } from "./CellPage";
import { DevicePage } from "./DevicePage";
import { Devices } from "./Devices";
import { EventWall } from "./EventWall";
import { Faults } from "./Faults";
import { IntakeHealth } from "./IntakeHealth";
import { RulePage } from "./RulePage";
import { RulesPage } from "./RulesPage";
import { SensorMap } from "./SensorMap";
import "./sense.css";
import { StreamPage } from "./StreamPage";

export default function SensePage() {
  const wall = useMode() === "wall";
  return (
    <Routes>
      <Route index element={<WithTabs page={<SensorMap />} />} />
      <Route path="events" element={wall ? <AlarmWall /> : <WithTabs page={<EventWall />} />} />
      <Route path="wall" element={<AlarmWall lent />} />
      <Route path="rules" element={<WithTabs page={<RulesPage />} />} />
      <Route path="rules/:rule" element={<RulePage />} />
      <Route path="cell/:code" element={<CellPage />} />
      <Route path="devices" element={<WithTabs page={<Devices />} />} />
      <Route path="faults" element={<WithTabs page={<Faults />} />} />
      <Route path="intake" element={<WithTabs page={<IntakeHealth />} />} />
      <Route path="devices/:device" element={<DevicePage />} />
      <Route path="streams/:stream" element={<StreamPage />} />
    </Routes>
  );
}

function WithTabs({ page }: { page: React.ReactNode }) {
  const { t } = useTranslation();
  return (
    <div className="page wide">
      <h1>{t("sense.name")}</h1>
      <Tabs label={t("sense.parts")}>
        <NavLink to="/sense" end>{t("sense.map")}</NavLink>
        <NavLink to="/sense/events">{t("alarms.name")}</NavLink>
        <NavLink to="/sense/rules" end>{t("alarms.rules")}</NavLink>
        <NavLink to="/sense/devices">{t("sense.devices")}</NavLink>
        <NavLink to="/sense/faults">{t("sense.faults.name")}</NavLink>
        <NavLink to="/sense/intake">{t("sense.intake.name")}</NavLink>
      </Tabs>
      {page}
    </div>
  );
}
