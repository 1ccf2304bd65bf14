/** What a person may see of a dataset, and by which rules. */
import { CircleCheck, CircleX } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { useDatasets } from "../api/questions";
import { Empty, Failure, Loading } from "../design/States";
import { Table } from "../design/Table";
import { say } from "../words";
import { type Explanation, type Rule, useExplanation, usePeople } from "./questions";

export function Explain() {
  const { t } = useTranslation();
  const [asked, setAsked] = useSearchParams();
  const person = asked.get("person") ?? "";
  const dataset = asked.get("dataset") ?? "";
  const purpose = asked.get("purpose") ?? "";
  const people = usePeople(asked.get("search") ?? "");
  const datasets = useDatasets();
  const answer = useExplanation(person, dataset, purpose);
  const set = (name: string, value: string) =>
    setAsked(
      (known) => {
        if (value) known.set(name, value);
        else known.delete(name);
        return known;
      },
      { replace: true },
    );

  return (
    <div className="policy-desk">
      <p className="lead">{t("policies.whoLead")}</p>
      <div className="policy-ask">
        <label>
          <span>{t("policies.findPerson")}</span>
          <div className="field">
            <input
              type="search"
              defaultValue={asked.get("search") ?? ""}
              maxLength={100}
              onChange={(event) => set("search", event.target.value)}
            />
          </div>
        </label>
        <label>
          <span>{t("policies.person")}</span>
          <select className="choice" value={person} onChange={(event) => set("person", event.target.value)}>
            <option value="">{t("policies.choose")}</option>
            <option value="local">{t("policies.local")}</option>
            {(people.data ?? []).map((one) => (
              <option key={one.id} value={one.id}>
                {one.name} ({one.login})
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{t("policies.dataset")}</span>
          <select className="choice" value={dataset} onChange={(event) => set("dataset", event.target.value)}>
            <option value="">{t("policies.choose")}</option>
            {(datasets.data ?? []).map((one) => (
              <option key={one.id} value={one.id}>
                {say(one.title)}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{t("policies.purpose")}</span>
          <div className="field">
            <input value={purpose} maxLength={200} onChange={(event) => set("purpose", event.target.value)} />
          </div>
        </label>
      </div>
      {people.error && <Failure error={people.error} compact />}
      {(!person || !dataset) && <Empty title={t("policies.chooseBoth")} />}
      {answer.isLoading && <Loading lines={6} />}
      {answer.error && <Failure error={answer.error} retry={() => answer.refetch()} />}
      {answer.data && <Answer found={answer.data} />}
    </div>
  );
}

function Answer({ found }: { found: Explanation }) {
  const { t } = useTranslation();
  return (
    <>
      <section className="policy-desk">
        <h2>{t("policies.rights")}</h2>
        <Table label={t("policies.rights")} head={[t("policies.right"), t("policies.answer"), t("policies.why")]}>
          <tbody>
            {found.rights.map((right) => (
              <tr key={right.action}>
                <th scope="row">
                  {say(right.says)} <code className="quiet">{right.action}</code>
                </th>
                <td>
                  <span className={right.allowed ? "badge good" : "badge bad"}>
                    {right.allowed ? <CircleCheck aria-hidden /> : <CircleX aria-hidden />}
                    {t(right.allowed ? "policies.yes" : "policies.no")}
                  </span>
                </td>
                <td>
                  <Rules rules={right.rules} />
                </td>
              </tr>
            ))}
            <tr>
              <th scope="row">{t("policies.rows")}</th>
              <td>
                <span className="badge">{t(`policies.rowsShown.${found.rows}`)}</span>
              </td>
              <td>{found.rows_where && <code>{found.rows_where}</code>}</td>
            </tr>
            <tr>
              <th scope="row">{t("policies.places")}</th>
              <td>
                <span className="badge">
                  {found.place_level >= 32
                    ? t("policies.placeExact")
                    : found.place_level === 0
                      ? t("policies.placeNone")
                      : t("policies.placeLevel", { level: found.place_level })}
                </span>
              </td>
              <td>
                <Rules rules={found.place_rules} />
              </td>
            </tr>
            {found.smallest !== null && (
              <tr>
                <th scope="row">{t("policies.counts")}</th>
                <td colSpan={2}>{t("policies.smallest", { number: found.smallest })}</td>
              </tr>
            )}
          </tbody>
        </Table>
      </section>
      <section className="policy-desk">
        <h2>{t("policies.fields")}</h2>
        <Table label={t("policies.fields")} head={[t("policies.field"), t("policies.level"), t("policies.shown"), t("policies.why")]}>
          <tbody>
            {found.fields.map((field) => (
              <tr key={field.name}>
                <th scope="row">{field.name}</th>
                <td>
                  {field.level ?? "–"} {field.personal && <span className="badge warn">{t("policies.personal")}</span>}
                </td>
                <td>
                  <span className={field.shown === "clear" ? "badge good" : field.shown === "hidden" ? "badge bad" : "badge warn"}>
                    {t(`policies.masks.${field.shown}`)}
                  </span>
                </td>
                <td>
                  <Rules rules={field.rules} />
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      </section>
    </>
  );
}

function Rules({ rules }: { rules: Rule[] }) {
  const { t } = useTranslation();
  if (rules.length === 0) return <span className="quiet">{t("policies.noRule")}</span>;
  return (
    <ul className="policy-rules">
      {rules.map((rule) => (
        <li key={rule.id}>
          <code>{rule.id}</code> {rule.says} {rule.ask && <span className="quiet">{t("policies.ask", { whom: rule.ask })}</span>}
        </li>
      ))}
    </ul>
  );
}
