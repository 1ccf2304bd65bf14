/** A call in a list: when, whose, what was said, how it stands. */
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useZone } from "../api/questions";
import { instant, say } from "../words";
import { type CallLine, useSettings } from "./questions";

export function CallRow({ call, link }: { call: CallLine; link?: boolean }) {
  const { t } = useTranslation();
  const zone = useZone();
  const kind = useSettings().data?.content.kinds.find((one) => one.key === call.kind);
  const marks = [
    ...(call.replied && call.state === "in_case" ? ["replied"] : []),
    ...(call.asked ? ["asked"] : []),
    ...(call.reviewed ? ["reviewed"] : []),
    ...(call.exempt ? ["exempt"] : []),
  ];
  return (
    <div className="call-row">
      <p>
        {link ? <Link to={`/hotline/calls/${call.number}`}>{call.number}</Link> : <b>{call.number}</b>}
        <span className="badge accent">{t(`hotline.calls.states.${call.state}`)}</span>
        {kind && <span className="badge">{say(kind)}</span>}
        {call.late && <span className="badge bad">{t("hotline.calls.late")}</span>}
        {marks.map((one) => (
          <span key={one} className="badge good">
            {t(`hotline.calls.${one}`)}
          </span>
        ))}
      </p>
      {call.words && <p className="call-words">{call.words}</p>}
      <p className="small quiet">
        {instant(call.began, zone, "minute")} · <span className="numbers">{call.caller ?? t("hotline.desk.hidden")}</span>
        {call.case && (
          <>
            {" · "}
            <Link to={`/cases/${call.case.number}`}>{`${say(call.case.type)}：${say(call.case.title)}`}</Link>
          </>
        )}
        {call.due && !call.late && ` · ${t("hotline.calls.due", { at: instant(call.due, zone, "minute") })}`}
      </p>
    </div>
  );
}
