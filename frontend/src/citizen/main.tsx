/** The public pages: to report without an account, to follow what one reported, to see what happens around one. */
import { StrictMode, useEffect, useReducer, useState, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import { AlertPage } from "./AlertPage";
import { AroundPage } from "./AroundPage";
import { type City, Fault, json } from "./ask";
import { FollowPage } from "./FollowPage";
import { MinePage } from "./MinePage";
import { PublicCasePage } from "./PublicCasePage";
import { ReportPage } from "./ReportPage";
import { flush, onChange, waiting } from "./store";
import { isLarge, otherLanguage, recallLarge, say, setLarge, t } from "./words";
import "../design/tokens.css";
import "../design/base.css";
import "./citizen.css";

const AGAIN = 20_000;

function watch(names: string[]) {
  return (follower: () => void) => {
    for (const name of names) addEventListener(name, follower);
    return () => {
      for (const name of names) removeEventListener(name, follower);
    };
  };
}
const network = watch(["online", "offline"]);
const addresses = watch(["popstate", "hashchange"]);

/** Goes to another of these pages without loading anything. */
export function go(path: string): void {
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
  scrollTo(0, 0);
  document.querySelector<HTMLElement>("main")?.focus();
}

function Link({ to, now, children }: { to: string; now: boolean; children: React.ReactNode }) {
  return (
    <a
      href={to}
      aria-current={now ? "page" : undefined}
      onClick={(event) => {
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}

function Pages() {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const [city, setCity] = useState<City>();
  const [fault, setFault] = useState<Fault>();
  const [held, setHeld] = useState(0);
  const online = useSyncExternalStore(network, () => navigator.onLine);
  const path = useSyncExternalStore(addresses, () => location.pathname + location.hash);

  useEffect(() => {
    const read = () => void json<City>("/city").then(setCity, (error: unknown) => error instanceof Fault && setFault(error));
    read();
    const count = () => void waiting().then((all) => setHeld(all.length));
    count();
    const send = () => void flush().catch(() => undefined);
    send();
    const timer = setInterval(send, AGAIN);
    addEventListener("online", send);
    addEventListener("online", read);
    const end = onChange(count);
    if (import.meta.env.PROD && "serviceWorker" in navigator) void navigator.serviceWorker.register("/citizen-worker.js", { scope: "/report" });
    void navigator.storage?.persist?.();
    return () => {
      clearInterval(timer);
      removeEventListener("online", send);
      removeEventListener("online", read);
      end();
    };
  }, []);
  const shown = /^\/report\/around\/([^/]+)$/.exec(location.pathname)?.[1];
  const title = path.startsWith("/report/alerts") ? t("alert") : path.startsWith("/report/around") ? t("around") : path.startsWith("/report/follow") ? t("progress") : path.startsWith("/report/mine") ? t("mine") : t("report");
  useEffect(() => {
    document.title = city ? `${title} · ${say(city.name)}` : title;
  });

  return (
    <>
      <a className="skip" href="#content" onClick={(event) => {
        event.preventDefault();
        document.getElementById("content")?.focus();
      }}>
        {t("skip")}
      </a>
      <header className="top">
        <nav aria-label={t("parts")}>
          <Link to="/report" now={path === "/report"}>
            {t("report")}
          </Link>
          <Link to="/report/mine" now={path.startsWith("/report/mine")}>
            {t("mine")}
            {held > 0 && <span className="badge">{t("waitingCount", { n: held })}</span>}
          </Link>
          <Link to="/report/around" now={path.startsWith("/report/around")}>
            {t("around")}
          </Link>
        </nav>
        <div className="tools">
          <button type="button" aria-pressed={isLarge()} onClick={() => (setLarge(!isLarge()), redraw())}>
            {t("large")}
          </button>
          <button type="button" lang={document.documentElement.lang === "en" ? "zh" : "en"} onClick={() => (otherLanguage(), redraw())}>
            {t("other")}
          </button>
        </div>
      </header>
      {city?.message && (
        <p className="note urgent" role="alert">
          {say(city.message)}
        </p>
      )}
      {city?.generated && <p className="note">{t("fiction")}</p>}
      {!online && (
        <p className="note warn" role="status">
          {t("offline")}
        </p>
      )}
      {fault && fault.status > 0 && (
        <p className="note bad" role="alert">
          {fault.said}
        </p>
      )}
      <main id="content" tabIndex={-1}>
        {shown ? (
          <PublicCasePage key={shown} number={decodeURIComponent(shown)} zone={city?.zone ?? "Asia/Shanghai"} />
        ) : path.startsWith("/report/alerts") ? (
          <AlertPage key={path} />
        ) : path.startsWith("/report/around") ? (
          <AroundPage city={city} />
        ) : path.startsWith("/report/follow") ? (
          <FollowPage key={path} zone={city?.zone ?? "Asia/Shanghai"} channels={city?.channels ?? []} />
        ) : path.startsWith("/report/mine") ? (
          <MinePage zone={city?.zone ?? "Asia/Shanghai"} mail={city?.channels.includes("email") ?? false} provider={city?.sign_in ?? null} />
        ) : (
          <ReportPage city={city} />
        )}
      </main>
    </>
  );
}

recallLarge();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Pages />
  </StrictMode>,
);
