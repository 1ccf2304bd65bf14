/** Files handed in one by one: drop one here; what was handed in before. */
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { FileUp } from "lucide-react";
import { type DragEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { address, askJson, Problem } from "../api/client";
import { useZone } from "../api/questions";
import { More } from "../design/More";
import { Empty, Failure, Waiting } from "../design/States";
import { Table } from "../design/Table";
import { bytes, instant, languageNow } from "../words";
import { useMay } from "../session/questions";
import { FromDatabase } from "./FromDatabase";

export type HandedIn = {
  id: string;
  name: string;
  size: number;
  digest: string;
  received: string;
  by: string;
  source: string | null;
  state: "received" | "loaded" | "held" | "failed" | "erased";
  loading: boolean;
  /** Its load under way, for who began it. */
  job: { id: string; events: string } | null;
};

/** Send a file as it is; `told` hears the share that has gone out. */
export function send<T>(path: string, file: File, told: (share: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.responseType = "json";
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Accept-Language", languageNow() === "en" ? "en" : "zh-CN");
    request.upload.onprogress = (event) => event.lengthComputable && told(event.loaded / event.total);
    request.onerror = () => reject(new Problem({ code: "unreachable" }));
    request.onload = () => {
      if (request.status < 300) resolve(request.response as T);
      else reject(new Problem({ status: request.status, ...(request.response as object | null) }));
    };
    request.send(file);
  });
}

export function IntakePage() {
  const { t } = useTranslation();
  const zone = useZone();
  const mayTake = useMay("intake.manage");
  const answer = useInfiniteQuery({
    queryKey: ["intake"],
    queryFn: ({ signal, pageParam }) =>
      askJson<{ files: HandedIn[]; before: string | null }>("/api/intake/files", { query: { before: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.before ?? undefined,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.files.some((file) => file.loading)) ? 3000 : false),
  });
  const files = answer.data?.pages.flatMap((page) => page.files) ?? [];
  return (
    <div className="page">
      <header>
        <nav aria-label={t("data.way")} className="small">
          <Link to="/data">{t("data.all")}</Link>
        </nav>
        <h1>{t("intake.title")}</h1>
        <p className="lead">{t("intake.lead")}</p>
      </header>
      {mayTake && <Drop />}
      {mayTake && <FromDatabase />}
      <Waiting of={answer} lines={5} />
      {answer.data && files.length === 0 && <Empty title={t("intake.none")}>{t("intake.noneMend")}</Empty>}
      {files.length > 0 && (
        <Table
          label={t("intake.handedIn")}
          head={[t("data.file"), t("data.state"), t("data.dataset"), { end: t("intake.size") }, t("intake.received")]}
        >
          <tbody>
            {files.map((file) => (
              <tr key={file.id}>
                <th scope="row" className="row-file">
                  <Link to={`/data/intake/${file.id}`}>{file.name}</Link>
                </th>
                <td>
                  {file.loading ? (
                    <span className="badge accent">{t("data.loading")}</span>
                  ) : (
                    <span className={`badge ${{ received: "", loaded: "good", held: "warn", failed: "bad", erased: "" }[file.state]}`}>
                      {t(`intake.states.${file.state}`)}
                    </span>
                  )}
                </td>
                <td>{file.source ? <Link to={`/data/${file.source}`}>{file.source}</Link> : "–"}</td>
                <td className="end">{bytes(file.size)}</td>
                <td className="nowrap">{instant(file.received, zone, "minute")}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      <More of={answer} />
    </div>
  );
}

function Drop() {
  const { t } = useTranslation();
  const go = useNavigate();
  const questions = useQueryClient();
  const choose = useRef<HTMLInputElement>(null);
  const [share, setShare] = useState<number | null>(null);
  const [over, setOver] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const take = async (file: File | undefined) => {
    if (!file || share !== null) return;
    setError(null);
    setShare(0);
    try {
      const kept = await send<HandedIn>(address("/api/intake/files", { name: file.name }), file, setShare);
      void questions.invalidateQueries({ queryKey: ["intake"] });
      go(`/data/intake/${kept.id}`);
    } catch (failure) {
      setError(failure);
    } finally {
      setShare(null);
    }
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void take(event.dataTransfer.files[0]);
  };
  return (
    <section
      className={over ? "card drop over" : "card drop"}
      aria-label={t("intake.drop")}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <FileUp aria-hidden />
      <p>{t("intake.drop")}</p>
      <p className="small quiet">{t("intake.forms")}</p>
      <input
        ref={choose}
        type="file"
        className="hidden-visually"
        tabIndex={-1}
        aria-label={t("intake.choose")}
        onChange={(event) => void take(event.target.files?.[0])}
      />
      <button type="button" className="button primary" disabled={share !== null} onClick={() => choose.current?.click()}>
        {t("intake.choose")}
      </button>
      {share !== null && <progress value={share} max={1} aria-label={t("intake.sending")} />}
      {error !== null && <Failure error={error} compact />}
    </section>
  );
}
