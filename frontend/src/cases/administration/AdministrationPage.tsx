/** What a city decides about its cases besides rules and calendar: ground, duties, inventory, settings, phrases. */
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, NavLink, Route, Routes, useLocation } from "react-router";
import { Empty } from "../../design/States";
import { useMay } from "../../session/questions";
import "./administration.css";
import { AnswerTemplates } from "./AnswerTemplates";
import { Duties } from "./Duties";
import { Forwards } from "./Forwards";
import { Grids } from "./Grids";
import { Hours } from "./Hours";
import { Inventory } from "./Inventory";
import { Keys } from "./Keys";
import { NoticeWords } from "./NoticeWords";
import { Phrases } from "./Phrases";
import { Points } from "./Points";
import { SettingsForm } from "./SettingsForm";

const ROOMS = {
  duties: Duties,
  grids: Grids,
  points: Points,
  components: Inventory,
  settings: SettingsForm,
  hours: Hours,
  phrases: Phrases,
  answers: AnswerTemplates,
  notices: NoticeWords,
  keys: Keys,
  forwards: Forwards,
};

export function AdministrationPage() {
  const { t } = useTranslation();
  const manages = useMay("case.manage");
  const { pathname } = useLocation();
  const rooms = useRef<HTMLElement>(null);
  useEffect(() => {
    rooms.current?.querySelector('[aria-current="page"]')?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [pathname]);
  if (!manages) return <Empty title={t("cases.administration.notYours")}>{t("cases.administration.notYoursMend")}</Empty>;
  return (
    <div className="administration">
      <nav ref={rooms} className="rooms" aria-label={t("cases.administration.name")}>
        {Object.keys(ROOMS).map((room) => (
          <NavLink key={room} to={`/cases/administration/${room}`}>
            {t(`cases.administration.${room}.name`)}
          </NavLink>
        ))}
      </nav>
      <div className="room">
        <Routes>
          {Object.entries(ROOMS).map(([room, Room]) => (
            <Route key={room} path={room} element={<Room />} />
          ))}
          <Route path="*" element={<Navigate to="/cases/administration/duties" replace />} />
        </Routes>
      </div>
    </div>
  );
}
