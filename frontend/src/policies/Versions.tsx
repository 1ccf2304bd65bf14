/** The versions of the policies, and what any two differ in. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useZone } from "../api/questions";
import { More } from "../design/More";
import { Waiting } from "../design/States";
import { Table } from "../design/Table";
import { actorOf } from "../session/actors";
import { instant } from "../words";
import { type DiffLine, useDiff, useVersions } from "./questions";

export function Versions() {
  const { t } = useTranslation();
  const zone = useZone();
  const answer = useVersions();
  const versions = answer.data?.pages.flatMap((page) => page.versions) ?? [];
  const [chosen, setChosen] = useState<number>();
  const shown = chosen ?? versions[0]?.number;

  if (!answer.data) return <Waiting of={answer} lines={5} />;
  return (
    <div className="policy-desk">
      <Table label={t("policies.versions")}>
        <thead>
          <tr>
            <th scope="col">{t("policies.version")}</th>
            <th scope="col">{t("policies.adopted")}</th>
            <th scope="col">{t("policies.by")}</th>
            <th scope="col">
              <span className="hidden-visually">{t("policies.show")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {versions.map((one) => (
            <tr key={one.number}>
              <th scope="row" className="nowrap">
                {one.number} {one.in_force && <span className="badge good">{t("policies.inForce")}</span>}
              </th>
              <td>{one.adopted ? instant(one.adopted, zone, "minute") : t("policies.shipped")}</td>
              <td>{one.by && actorOf(one.by, t)}</td>
              <td className="end">
                {one.number > 0 && (
                  <button
                    type="button"
                    className="button"
                    aria-pressed={shown === one.number}
                    onClick={() => setChosen(one.number)}
                  >
                    {t("policies.show")}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
      <More of={answer} label={t("log.older")} />
      {shown !== undefined && shown > 0 && <Diff old={shown - 1} fresh={shown} />}
    </div>
  );
}

const CONTEXT = 4;

/** The changed lines with some around them; a number stands for so many lines left out. */
function around(lines: DiffLine[]): (DiffLine | number)[] {
  const near = new Set<number>();
  lines.forEach((line, at) => {
    if (line.kind !== "same") for (let by = -CONTEXT; by <= CONTEXT; by++) near.add(at + by);
  });
  const shown: (DiffLine | number)[] = [];
  let left = 0;
  lines.forEach((line, at) => {
    if (near.has(at)) {
      if (left) shown.push(left);
      left = 0;
      shown.push(line);
    } else left += 1;
  });
  return left ? [...shown, left] : shown;
}

function Diff({ old, fresh }: { old: number; fresh: number }) {
  const { t } = useTranslation();
  const diff = useDiff(old, fresh);
  const title = t("policies.difference", { old, fresh });
  return (
    <section className="policy-desk">
      <h2>{title}</h2>
      <Waiting of={diff} compact />
      {diff.data && diff.data.lines.every((line) => line.kind === "same") && <p className="small">{t("policies.sameText")}</p>}
      {diff.data && diff.data.lines.some((line) => line.kind !== "same") && (
        <div className="policy-diff code" tabIndex={0} role="region" aria-label={title}>
          {around(diff.data.lines).map((line, at) =>
            typeof line === "number" ? (
              <div key={at} className="left-out">
                <span aria-hidden>⋯</span>
                <span>{t("policies.leftOut", { count: line })}</span>
              </div>
            ) : (
              <div key={at} className={line.kind}>
                <span aria-hidden>{{ same: " ", added: "+", removed: "−" }[line.kind]}</span>
                <span>
                  {line.kind !== "same" && <span className="hidden-visually">{t(`policies.${line.kind}`)} </span>}
                  {line.text}
                </span>
              </div>
            ),
          )}
        </div>
      )}
    </section>
  );
}
