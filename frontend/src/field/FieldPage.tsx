/** The pages in the field, for one hand and one thumb: tasks near oneself, reporting, what waits to be sent, one's way. */
import { CloudOff, Footprints, ListTodo, MapPinPlus, SendHorizontal } from "lucide-react";
import { useEffect, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import { NavLink, Route, Routes } from "react-router";
import { FieldTask } from "./FieldTask";
import { type Position, usePosition } from "./here";
import { Outbox } from "./Outbox";
import { useOutbox, useSending } from "./outbox";
import { usePerson } from "./questions";
import { Report } from "./Report";
import { forgetOthers } from "./store";
import { Tasks } from "./Tasks";
import { useWalking, WayPage } from "./Way";
import "./field.css";

export default function FieldPage() {
  const { t } = useTranslation();
  const person = usePerson();
  const position = usePosition();
  const items = useOutbox(person);
  const online = useOnline();
  useSending(person);
  useWalking(person, position.here);
  useEffect(() => {
    void forgetOthers(person);
  }, [person]);
  useEffect(() => {
    // Told to keep what waits even when the telephone runs short of room.
    void navigator.storage?.persist?.();
    if (import.meta.env.PROD && "serviceWorker" in navigator) {
      void navigator.serviceWorker.register("/field-worker.js", { scope: "/field" });
    }
  }, []);
  useEffect(() => {
    // By it a telephone puts these pages, and no others, on its home screen.
    const manifest = Object.assign(document.createElement("link"), { rel: "manifest", href: "/field.json" });
    document.head.append(manifest);
    return () => manifest.remove();
  }, []);
  const refused = items.filter((one) => one.refusal).length;
  return (
    <div className="field-page">
      <nav className="field-tabs" aria-label={t("field.parts")}>
        <NavLink to="/field" end>
          <ListTodo aria-hidden />
          {t("field.tasks")}
        </NavLink>
        <NavLink to="/field/report">
          <MapPinPlus aria-hidden />
          {t("field.report")}
        </NavLink>
        <NavLink to="/field/outbox">
          <SendHorizontal aria-hidden />
          {t("field.outbox")}
          {items.length > 0 && (
            <span className={refused ? "field-count bad" : "field-count"}>
              {items.length}
              <span className="hidden-visually">{t("field.waiting", { count: items.length })}</span>
            </span>
          )}
        </NavLink>
        <NavLink to="/field/way">
          <Footprints aria-hidden />
          {t("field.way")}
        </NavLink>
      </nav>
      {!online && (
        <p className="notice warn field-offline" role="status">
          <CloudOff aria-hidden />
          {t("field.offline")}
        </p>
      )}
      <div className="field-body">
        <Routes>
          <Route index element={<Tasks person={person} position={position} items={items} />} />
          <Route path="case/:number" element={<FieldTask person={person} here={position.here} items={items} />} />
          <Route path="report" element={<Report person={person} position={position} />} />
          <Route path="outbox" element={<Outbox items={items} person={person} />} />
          <Route path="way" element={<WayPage person={person} position={position} />} />
        </Routes>
      </div>
    </div>
  );
}

function follow(follower: () => void): () => void {
  addEventListener("online", follower);
  addEventListener("offline", follower);
  return () => {
    removeEventListener("online", follower);
    removeEventListener("offline", follower);
  };
}

function useOnline(): boolean {
  return useSyncExternalStore(follow, () => navigator.onLine);
}

export function WhereAmI({ position }: { position: Position }) {
  const { t } = useTranslation();
  if (position.state === "denied") return <p className="notice warn">{t("field.denied")}</p>;
  if (position.state === "unknown") return <p className="notice warn">{t("field.noPosition")}</p>;
  return null;
}
