/** The code page: convert both ways, explain digit by digit, draw the cell with its parents and neighbours. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, Check, Copy, Search } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { askJson } from "../api/client";
import type { CodeStep, Explanation } from "../api/types";
import { Empty, Failure, Loading } from "../design/States";
import { Table } from "../design/Table";
import { languageNow, metres, squareMetres } from "../words";
import { CodeMap } from "./CodeMap";
import "./codes.css";

const EXAMPLES = ["N50F05", "N50F0503278214", "G001130230-200011", "22.5431, 114.0579"];

export default function CodePage() {
  const { t, i18n } = useTranslation();
  const [place, setPlace] = useSearchParams();
  const wanted = place.get("q") ?? "";
  const [typed, setTyped] = useState(wanted);
  const [standard, setStandard] = useState<"beidou" | "geosot">("beidou");
  const [step, setStep] = useState<number | null>(null);
  useEffect(() => setTyped(wanted), [wanted]);

  const answer = useQuery({
    queryKey: ["code", wanted, i18n.language],
    queryFn: ({ signal }) => askJson<Explanation>("/api/codes/explain", { query: { q: wanted }, signal }),
    enabled: wanted !== "",
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });

  const go = (q: string) => {
    setStep(null);
    setPlace(q.trim() ? { q: q.trim() } : {});
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    go(typed);
  };

  const found = wanted && !answer.error ? answer.data : undefined;
  const read = found?.read_as === "beidou" ? "beidou" : found?.read_as === "geosot" ? "geosot" : undefined;
  useEffect(() => {
    if (read) setStandard(read);
  }, [read]);
  const shown = found && standard === "beidou" && !found.beidou ? "geosot" : found && standard === "geosot" && !found.geosot ? "beidou" : standard;
  const steps = found ? (shown === "beidou" ? found.beidou_steps : found.geosot_steps) : [];

  return (
    <div className="page codes">
      <header>
        <h1>{t("codes.title")}</h1>
        <p className="lead">{t("codes.lead")}</p>
      </header>

      <form role="search" className="codes-ask" onSubmit={submit}>
        <label className="hidden-visually" htmlFor="code">
          {t("codes.input")}
        </label>
        <div className="field">
          <Search aria-hidden />
          <input
            id="code"
            className="code"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            placeholder={t("codes.placeholder")}
            autoComplete="off"
            autoCapitalize="characters"
            spellCheck={false}
            maxLength={120}
          />
        </div>
        <button type="submit" className="button primary">
          {t("codes.read")}
        </button>
        <p className="codes-examples small quiet">
          <span>{t("codes.examples")}</span>
          {EXAMPLES.map((example) => (
            <button key={example} type="button" className="link code" onClick={() => go(example)}>
              {example}
            </button>
          ))}
        </p>
      </form>

      {!wanted && (
        <div className="card">
          <Empty title={t("codes.start")}>{t("codes.startText")}</Empty>
        </div>
      )}
      {wanted && answer.isPending && <Loading lines={6} />}
      {wanted && answer.error && (
        <div className="card">
          <CodeFault text={wanted} error={answer.error} />
        </div>
      )}
      {found && (
        <div className="codes-answer">
          <section className="card codes-cell" aria-label={t("codes.levelOf", { level: found.level })}>
            <Cell found={found} go={go} />
          </section>
          <figure className="card codes-map" aria-label={t("codes.drawn")}>
            <CodeMap found={found} steps={steps} step={step} />
          </figure>
          <section className="codes-digits">
            <div className="tabs" role="tablist" aria-label={t("codes.digits")}>
              {(["beidou", "geosot"] as const).map((name) => (
                <button
                  key={name}
                  type="button"
                  role="tab"
                  id={`tab-${name}`}
                  aria-selected={shown === name}
                  aria-controls="digits"
                  disabled={!found[name]}
                  onClick={() => setStandard(name)}
                >
                  {t(`codes.${name}`)}
                </button>
              ))}
            </div>
            <div role="tabpanel" id="digits" aria-labelledby={`tab-${shown}`}>
              <Digits steps={steps} step={step} setStep={setStep} go={go} />
            </div>
          </section>
        </div>
      )}
    </div>
  );
}

/** A code that cannot be read: the character that stops the reader is marked. */
function CodeFault({ text, error }: { text: string; error: unknown }) {
  const position = (error as { where?: { position?: unknown } }).where?.position;
  return (
    <>
      {typeof position === "number" && (
        <p className="codes-fault code" aria-hidden>
          {text.slice(0, position)}
          <mark>{text.slice(position, position + 1) || "␣"}</mark>
          {text.slice(position + 1)}
        </p>
      )}
      <Failure error={error} compact />
    </>
  );
}

function CopyButton({ text, label }: { text: string; label: string }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      className="icon-button copy"
      aria-label={`${t("copy.copy")} ${label}`}
      title={copied ? t("copy.copied") : t("copy.copy")}
      onClick={() => navigator.clipboard.writeText(text).then(() => setCopied(true))}
    >
      {copied ? <Check aria-hidden /> : <Copy aria-hidden />}
    </button>
  );
}

function Cell({ found, go }: { found: Explanation; go: (q: string) => void }) {
  const { t } = useTranslation();
  const [west, south, east, north] = found.bounds;
  return (
    <>
      <div className="codes-head">
        <h2>
          {found.geosot ? `GeoSOT ${t("codes.levelOf", { level: found.geosot.level })}` : null}
          {found.geosot && found.beidou?.same_cell ? " · " : null}
          {found.beidou?.same_cell ? `${t("codes.beidouShort")} ${t("codes.levelOf", { level: found.beidou.level })}` : null}
        </h2>
        <div className="codes-levels">
          <button type="button" className="button" disabled={!found.coarser} onClick={() => found.coarser && go(found.coarser)}>
            <ArrowUp aria-hidden />
            {t("codes.coarser")}
          </button>
          <button type="button" className="button" disabled={!found.finer} onClick={() => found.finer && go(found.finer)}>
            <ArrowDown aria-hidden />
            {t("codes.finer")}
          </button>
        </div>
      </div>

      <dl className="codes-texts">
        <div>
          <dt>{t("codes.beidou")}</dt>
          <dd>
            {found.beidou ? (
              <>
                <span className="codes-code code">{found.beidou.text}</span>
                <CopyButton text={found.beidou.text} label={t("codes.beidou")} />
                {!found.beidou.same_cell && <p className="small quiet">{t("codes.around", { level: found.beidou.level })}</p>}
              </>
            ) : (
              <span className="quiet small">{t("codes.noBeidou", { level: found.level })}</span>
            )}
          </dd>
        </div>
        <div>
          <dt>{t("codes.geosot")}</dt>
          <dd>
            {found.geosot ? (
              <>
                <span className="codes-code code">{found.geosot.text}</span>
                <CopyButton text={found.geosot.text} label={t("codes.geosot")} />
              </>
            ) : (
              <span className="quiet small">{t("codes.noTwin", { level: found.level })}</span>
            )}
          </dd>
        </div>
        {found.geosot && (
          <div>
            <dt title={t("codes.integerNote")}>{t("codes.integer")}</dt>
            <dd>
              <span className="code">{found.geosot.integer}</span>
              <CopyButton text={found.geosot.integer} label={t("codes.integer")} />
            </dd>
          </div>
        )}
      </dl>

      <dl className="codes-measures numbers">
        <div>
          <dt>{t("codes.width")}</dt>
          <dd>{metres(found.width_m)}</dd>
        </div>
        <div>
          <dt>{t("codes.height")}</dt>
          <dd>{metres(found.height_m)}</dd>
        </div>
        <div>
          <dt>{t("codes.area")}</dt>
          <dd>{squareMetres(found.area_m2)}</dd>
        </div>
      </dl>
      {found.cut && <p className="small quiet">{t("codes.clipped")}</p>}

      <dl className="facts numbers codes-bounds">
        <dt>{t("codes.north")}</dt>
        <dd>{degrees(north, "lat")}</dd>
        <dt>{t("codes.south")}</dt>
        <dd>{degrees(south, "lat")}</dd>
        <dt>{t("codes.west")}</dt>
        <dd>{degrees(west, "lon")}</dd>
        <dt>{t("codes.east")}</dt>
        <dd>{degrees(east, "lon")}</dd>
      </dl>
    </>
  );
}

/** Degrees, minutes and seconds with their hemisphere, the form in which the standards speak. */
export function degrees(value: number, axis: "lon" | "lat"): string {
  const english = languageNow() === "en";
  const side = axis === "lat" ? (value < 0 ? ["S", "南纬"] : ["N", "北纬"]) : value < 0 ? ["W", "西经"] : ["E", "东经"];
  const seconds = Math.round(Math.abs(value) * 3600 * 10000) / 10000;
  const d = Math.floor(seconds / 3600);
  const m = Math.floor((seconds - d * 3600) / 60);
  const s = Math.round((seconds - d * 3600 - m * 60) * 10000) / 10000;
  const text = `${d}° ${String(m).padStart(2, "0")}′ ${s < 10 ? "0" : ""}${s}″`;
  return english ? `${text} ${side[0]}` : `${side[1]} ${text}`;
}

function Digits({ steps, step, setStep, go }: {
  steps: CodeStep[];
  step: number | null;
  setStep: (step: number | null) => void;
  go: (q: string) => void;
}) {
  const { t } = useTranslation();
  return (
    <>
      <p className="codes-spelled code" aria-hidden>
        {steps.map((one, index) => (
          <span
            key={one.level}
            className={`thread-${index % 2}${step === index ? " on" : ""}`}
            onPointerEnter={() => setStep(index)}
            onPointerLeave={() => setStep(null)}
          >
            {one.characters}
          </span>
        ))}
      </p>
      <Table
        label={t("codes.digits")} className="codes-steps"
        head={[t("codes.level"), t("codes.characters"), t("codes.meaning"), { end: t("codes.size") }]}
      >
        <tbody>
          {steps.map((one, index) => (
            <tr
              key={one.level}
              className={step === index ? "on" : undefined}
              onPointerEnter={() => setStep(index)}
              onPointerLeave={() => setStep(null)}
            >
              <td>{one.level}</td>
              <th scope="row">
                <button
                  type="button"
                  className={`link code thread-${index % 2}`}
                  onClick={() => go(one.text)}
                  onFocus={() => setStep(index)}
                  onBlur={() => setStep(null)}
                  title={one.text}
                >
                  {one.characters}
                </button>
              </th>
              <td>{one.meaning}</td>
              <td className="end">
                {metres(one.width_m)} × {metres(one.height_m)}
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
    </>
  );
}
