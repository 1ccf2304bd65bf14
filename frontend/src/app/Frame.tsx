/** The frame around every page: where one is, where one can go, in which language and light. */
import { Ellipsis, X } from "lucide-react";
import { Component, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { NavLink, useLocation } from "react-router";
import { GeneratedMark } from "../about/GeneratedMark";
import { useFreshness } from "../api/events";
import { Failure, Loading } from "../design/States";
import { AccountMenu } from "../session/AccountMenu";
import { OpenBanner } from "../session/OpenBanner";
import { useSession } from "../session/questions";
import "../session/session.css";
import "./frame.css";
import { setMode, useMode } from "./mode";
import { PARTS } from "./parts";
import { useTold } from "./title";
import { LanguageButton, ModeMenu } from "./tools";

/** Catches what a page throws while it is drawn, so that the frame stays usable. */
class Guard extends Component<{ children: ReactNode; place: string }, { error: unknown }> {
  state = { error: undefined as unknown };
  static getDerivedStateFromError(error: unknown) {
    return { error };
  }
  componentDidUpdate(before: { place: string }) {
    if (before.place !== this.props.place && this.state.error) this.setState({ error: undefined });
  }
  render() {
    if (!this.state.error) return this.props.children;
    return <Failure error={this.state.error} retry={() => location.reload()} />;
  }
}

/** How many parts a phone shows; the others, and the tools, lie behind "more". */
const AT_THE_THUMB = 4;

export function Frame({ children }: { children: ReactNode }) {
  const { t, i18n } = useTranslation();
  useFreshness();
  const place = useLocation();
  const mode = useMode();
  const may = useSession().data?.may ?? [];
  const shown = PARTS.filter((part) => !part.hidden && (!part.needs || may.includes(part.needs)));
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);

  const [more, setMore] = useState(false);
  const rail = useRef<HTMLElement>(null);
  useEffect(() => setMore(false), [place.pathname]);
  useEffect(() => {
    if (!more) return;
    const close = (event: PointerEvent) => {
      if (!rail.current?.contains(event.target as Node)) setMore(false);
    };
    document.addEventListener("pointerdown", close);
    return () => document.removeEventListener("pointerdown", close);
  }, [more]);
  const isHere = (path: string) => (path === "/" ? place.pathname === "/" : place.pathname.startsWith(path));

  // Who moves to another page by keyboard or screen reader starts at its beginning.
  const part = place.pathname.split("/")[1];
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [part]);

  const told = useTold();
  useEffect(() => {
    const named = PARTS.find((one) => isHere(one.path));
    document.title = [told, named && t(named.name), t("name")].filter(Boolean).join(" · ");
  }, [place.pathname, told, t, i18n.language]);

  return (
    <div className="frame">
      <a className="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        main.current?.focus();
      }}>
        {t("frame.skip")}
      </a>
      <OpenBanner />
      <nav
        className="rail"
        aria-label={t("frame.parts")}
        ref={rail}
        data-more={more}
        onKeyDown={(event) => event.key === "Escape" && setMore(false)}
      >
        <NavLink to="/" className="mark" aria-label={t("frame.home")}>
          <img src="/mark.svg" alt="" width="32" height="32" />
        </NavLink>
        <ul className="rail-parts">
          {shown.map(({ path, name, icon: Icon }) => (
            <li key={path}>
              <NavLink to={path} end={path === "/"}>
                <Icon aria-hidden />
                <span>{t(name)}</span>
              </NavLink>
            </li>
          ))}
        </ul>
        <div className="rail-tools">
          <GeneratedMark />
          <AccountMenu />
          <LanguageButton />
          <ModeMenu />
        </div>
        <button
          type="button"
          className="rail-more"
          aria-expanded={more}
          data-here={shown.slice(AT_THE_THUMB).some((one) => isHere(one.path))}
          onClick={() => setMore(!more)}
        >
          {more ? <X aria-hidden /> : <Ellipsis aria-hidden />}
          <span>{t(more ? "frame.less" : "frame.more")}</span>
        </button>
      </nav>
      {mode === "wall" && (
        <>
          <div className="wall-mark">
            <GeneratedMark />
          </div>
          <button type="button" className="button leave-wall" onClick={() => setMode("system")}>
            <X aria-hidden />
            {t("frame.leaveWall")}
          </button>
        </>
      )}
      <main id="main" ref={main} tabIndex={-1}>
        <Guard place={place.pathname}>
          <Suspense fallback={<div className="page"><Loading lines={5} /></div>}>{children}</Suspense>
        </Guard>
      </main>
    </div>
  );
}
