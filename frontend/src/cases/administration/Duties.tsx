/** Who is responsible for what and where, since when and until when. */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";
import { askJson } from "../../api/client";
import { useZone } from "../../api/questions";
import { Dialog } from "../../design/Dialog";
import { Form, Input } from "../../design/Form";
import type { Choice } from "../../design/Picker";
import { SearchField } from "../../design/SearchField";
import { Empty, Waiting } from "../../design/States";
import { Table } from "../../design/Table";
import { count as written, instant, say } from "../../words";
import { midnight } from "../../words/days";
import { HandlingDepartment, TypePicker } from "../pickers";
import { type CaseType, useTypes } from "../questions";
import { DutyPerson, Head, Leaf, TableFile } from "./parts";

type Duty = {
  id: number;
  area: string;
  kind: "component" | "matter" | "";
  type: string;
  department: string;
  title: string;
  person: string;
  name: string;
  since: string | null;
  until: string | null;
};

export function Duties() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const zone = useZone();
  const types = useTypes().data ?? [];
  const [area, setArea] = useState("");
  const [whole, setWhole] = useState(false);
  const now = new Date().toISOString();
  const [after, setAfter] = useState(0);
  const [giving, setGiving] = useState(false);
  const [ending, setEnding] = useState<Duty | null>(null);
  const asked = useDeferredValue(area.trim());
  const found = useQuery({
    queryKey: ["case-duties", asked, whole, after],
    queryFn: ({ signal }) =>
      askJson<{ duties: Duty[]; next: number | null }>("/api/cases/duties", {
        query: { area: asked, after, ...(whole ? {} : { at: new Date().toISOString() }) },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
  const renew = () => void client.invalidateQueries({ queryKey: ["case-duties"] });
  const what = (one: Duty) => {
    if (!one.type) return one.kind ? t(`cases.kinds.${one.kind}`) : t("cases.administration.duties.everything");
    const type = types.find((each) => each.code === one.type && (!one.kind || each.kind === one.kind));
    const major = types.find((each) => each.code.startsWith(one.type) && (!one.kind || each.kind === one.kind));
    const name = type ? say(type.name) : major ? say(major.major) : "";
    return `${one.kind ? `${t(`cases.kinds.${one.kind}`)} ` : ""}${name} ${one.type}`.trim();
  };
  const rows = found.data?.duties ?? [];
  return (
    <>
      <Head room="duties" />
      <div className="filter-row">
        <SearchField label={t("cases.administration.duties.area")} value={area} most={40} set={(text) => { setArea(text); setAfter(0); }} />
        <label className="radio">
          <input
            type="checkbox"
            checked={whole}
            onChange={(event) => {
              setWhole(event.target.checked);
              setAfter(0);
            }}
          />
          <span>{t("cases.administration.duties.ended")}</span>
        </label>
        <button type="button" className="button" onClick={() => setGiving(true)}>
          <Plus aria-hidden />
          {t("cases.administration.duties.give")}
        </button>
        <TableFile<{ count: number }>
          address="/api/cases/duties/table"
          method="POST"
          label={t("cases.administration.table")}
          accept=".csv,.xlsx,.xls,.json"
          taken={(answer) => {
            renew();
            return t("cases.administration.taken", { n: written(answer.count) });
          }}
        />
      </div>
      <Waiting of={found} lines={6} />
      {found.isSuccess && rows.length === 0 && <Empty title={t("cases.administration.duties.none")}>{t("cases.administration.duties.noneMend")}</Empty>}
      {rows.length > 0 && (
        <Table
          label={t("cases.administration.duties.name")}
          head={[
            t("cases.administration.duties.where"),
            t("cases.administration.duties.what"),
            t("cases.administration.duties.who"),
            t("cases.administration.duties.when"),
            t("cases.rules.change"),
          ]}
        >
          <tbody>
            {rows.map((one) => (
              <tr key={one.id}>
                <th scope="row">{one.area || t("cases.administration.duties.city")}</th>
                <td>{what(one)}</td>
                <td>
                  {one.title || one.department}
                  {one.person && <span className="small quiet block">{one.name || one.person}</span>}
                </td>
                <td className="numbers">
                  {one.since && instant(one.since, zone, "day")}–{one.until && instant(one.until, zone, "day")}
                </td>
                <td>
                  {(!one.until || one.until > now) && (
                    <button type="button" className="button" onClick={() => setEnding(one)}>
                      {t("cases.administration.duties.end")}
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      <Leaf begun={after > 0} next={found.data?.next ?? null} go={(mark) => setAfter(Number(mark ?? 0))} />
      {giving && (
        <GiveDuty
          close={() => setGiving(false)}
          done={() => {
            setGiving(false);
            renew();
          }}
        />
      )}
      {ending && (
        <Dialog title={t("cases.administration.duties.endOf", { area: ending.area || t("cases.administration.duties.city") })} close={() => setEnding(null)}>
          <EndDuty
            duty={ending}
            done={() => {
              setEnding(null);
              renew();
            }}
          />
        </Dialog>
      )}
    </>
  );
}

function GiveDuty({ close, done }: { close: () => void; done: () => void }) {
  const { t } = useTranslation();
  const zone = useZone();
  const [area, setArea] = useState("");
  const [type, setType] = useState<CaseType | null>(null);
  const [department, setDepartment] = useState<Choice | null>(null);
  const [person, setPerson] = useState("");
  const [since, setSince] = useState("");
  const [until, setUntil] = useState("");
  const send = () =>
    askJson("/api/cases/duties", {
      method: "POST",
      body: [
        {
          area: area.trim(),
          kind: type?.kind ?? "",
          type: type?.code ?? "",
          department: department?.code ?? "",
          person,
          since: since ? midnight(since, zone) : null,
          until: until ? midnight(until, zone) : null,
        },
      ],
    });
  return (
    <Dialog title={t("cases.administration.duties.give")} close={close}>
      <Form send={send} done={done} action={t("form.save")}>
        <Input label={t("cases.administration.duties.areaOf")} hint={t("cases.administration.duties.areaHint")} value={area} maxLength={40} onChange={(event) => setArea(event.target.value)} />
        <TypePicker label={t("cases.administration.duties.typeOf")} value={type} pick={setType} />
        <HandlingDepartment
          label={t("cases.administration.duties.department")}
          value={department}
          pick={(chosen) => {
            setDepartment(chosen);
            setPerson("");
          }}
        />
        <DutyPerson department={department?.code ?? ""} value={person} pick={setPerson} />
        <div className="two">
          <Input label={t("cases.administration.duties.since")} type="date" value={since} onChange={(event) => setSince(event.target.value)} />
          <Input label={t("cases.administration.duties.until")} type="date" value={until} onChange={(event) => setUntil(event.target.value)} />
        </div>
      </Form>
    </Dialog>
  );
}

function EndDuty({ duty, done }: { duty: Duty; done: () => void }) {
  const { t } = useTranslation();
  const zone = useZone();
  const [until, setUntil] = useState("");
  return (
    <Form
      send={() =>
        askJson(`/api/cases/duties/${duty.id}/end`, {
          method: "POST",
          body: { until: until ? midnight(until, zone) : null },
        })
      }
      done={done}
      action={t("cases.administration.duties.end")}
    >
      <p>{`${duty.title || duty.department} ${duty.name}`}</p>
      <Input label={t("cases.administration.duties.until")} hint={t("cases.administration.duties.nowHint")} type="date" value={until} onChange={(event) => setUntil(event.target.value)} />
    </Form>
  );
}
