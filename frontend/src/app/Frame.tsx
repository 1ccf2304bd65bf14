/** The frame around every page: where one is, where one can go, in which language and light. */
import { Check, Languages, Monitor, Moon, Presentation, Sun, X } from "lucide-react";
import { Component, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { NavLink, useLocation } from "react-router";
import { GeneratedMark } from "../about/GeneratedMark";
import { useFreshness } from "../api/events";
import { Failure, Loading } from "../design/States";
import { languageNow, setLanguage } from "../words";
import "./frame.css";
import { MODES, type Mode, setMode, useMode } from "./mode";
import { PARTS } from "./parts";

const MODE_ICONS: Record<Mode, typeof Sun> = { system: Monitor, light: Sun, dark: Moon, wall: Presentation };

function ModeMenu() {
  const { t } = useTranslation();
  const mode = useMode();
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const Icon = MODE_ICONS[mode];

  useEffect(() => {
    if (!open) return;
    box.current?.querySelector<HTMLElement>('[aria-checked="true"]')?.focus();
    const close = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", close);
    return () => document.removeEventListener("pointerdown", close);
  }, [open]);

  const onKey = (event: React.KeyboardEvent) => {
    if (!open) return;
    const items = [...(box.current?.querySelectorAll<HTMLElement>('[role="menuitemradio"]') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) {
      event.preventDefault();
      items[(at + step + items.length) % items.length]?.focus();
    } else if (event.key === "Escape") {
      setOpen(false);
      opener.current?.focus();
    } else if (event.key === "Tab") setOpen(false);
  };

  return (
    <div className="menu" ref={box} onKeyDown={onKey}>
      <button
        ref={opener}
        type="button"
        className="icon-button"
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={t("frame.mode")}
        title={t("frame.mode")}
        onClick={() => setOpen(!open)}
      >
        <Icon aria-hidden />
      </button>
      {open && (
        <div className="menu-list" role="menu" aria-label={t("frame.mode")}>
          {MODES.map((choice) => {
            const ChoiceIcon = MODE_ICONS[choice];
            return (
              <button
                key={choice}
                type="button"
                role="menuitemradio"
                aria-checked={choice === mode}
                onClick={() => {
                  setMode(choice);
                  setOpen(false);
                  opener.current?.focus();
                }}
              >
                <ChoiceIcon aria-hidden />
                <span>{t(`frame.modes.${choice}`)}</span>
                {choice === mode && <Check aria-hidden className="tick" />}
              </button>
            );
          })}
        </div>
      )}
    </div>
  );
}

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

export function Frame({ children }: { children: ReactNode }) {
  const { t, i18n } = useTranslation();
  useFreshness();
  const place = useLocation();
  const mode = useMode();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);

  // Who moves to another page by keyboard or screen reader starts at its beginning.
  const part = place.pathname.split("/")[1];
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [part]);

  useEffect(() => {
    const named = PARTS.find((one) => (one.path === "/" ? place.pathname === "/" : place.pathname.startsWith(one.path)));
    document.title = named ? `${t(named.name)} · ${t("name")}` : t("name");
  }, [place.pathname, t, i18n.language]);

  return (
    <div className="frame">
      <a className="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        main.current?.focus();
      }}>
        {t("frame.skip")}
      </a>
      <nav className="rail" aria-label={t("frame.parts")}>
        <NavLink to="/" className="mark" aria-label={t("frame.home")}>
          <img src="/mark.svg" alt="" width="32" height="32" />
        </NavLink>
        <ul className="rail-parts">
          {PARTS.filter((part) => !part.hidden).map(({ path, name, icon: Icon }) => (
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
          <button
            type="button"
            className="icon-button language"
            onClick={() => setLanguage(languageNow() === "en" ? "zh" : "en")}
            lang={i18n.language === "en" ? "zh-CN" : "en"}
            title={t("frame.otherLanguage")}
            aria-label={t("frame.otherLanguage")}
          >
            <Languages aria-hidden />
          </button>
          <ModeMenu />
        </div>
      </nav>
      {mode === "wall" && (
        <button type="button" className="button leave-wall" onClick={() => setMode("system")}>
          <X aria-hidden />
          {t("frame.leaveWall")}
        </button>
      )}
      <main id="main" ref={main} tabIndex={-1}>
        <Guard place={place.pathname}>
          <Suspense fallback={<div className="page"><Loading lines={5} /></div>}>{children}</Suspense>
        </Guard>
      </main>
    </div>
  );
}
