/** City sensing: the map with live values, one stream, the devices, how the intake fares. */
import { useTranslation } from "react-i18next";
import { NavLink, Route, Routes } from "react-router";
import { Tabs } from "../design/Tabs";
import { DevicePage } from "./DevicePage";
import { Devices } from "./Devices";
import { IntakeHealth } from "./IntakeHealth";
import { SensorMap } from "./SensorMap";
import "./sense.css";
import { StreamPage } from "./StreamPage";

export default function SensePage() {
  return (
    <Routes>
      <Route index element={<WithTabs page={<SensorMap />} />} />
      <Route path="devices" element={<WithTabs page={<Devices />} />} />
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
        <NavLink to="/sense/devices">{t("sense.devices")}</NavLink>
        <NavLink to="/sense/intake">{t("sense.intake.name")}</NavLink>
      </Tabs>
      {page}
    </div>
  );
}
