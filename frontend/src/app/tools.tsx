/** The small tools of every page: menus, language, look. */
import { Check, Languages, type LucideIcon, Monitor, Moon, Presentation, Sun } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { languageNow, setLanguage } from "../words";
import { MODES, type Mode, setMode, useMode } from "./mode";

export type MenuItem = { key: string; text: string; icon: LucideIcon; run: () => void; checked?: boolean };

/** A button that opens a list of things to do or to choose from; arrows move in it, Escape closes it. */
export function Menu({ label, icon: Icon, items, head, below }: {
  label: string;
  icon: LucideIcon;
  items: MenuItem[];
  head?: ReactNode;
  below?: boolean;
}) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const chooses = items.some((item) => item.checked !== undefined);

  useEffect(() => {
    if (!open) return;
    const list = box.current;
    (list?.querySelector<HTMLElement>('[aria-checked="true"]') ?? list?.querySelector<HTMLElement>("[role^=menuitem]"))?.focus();
    const close = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", close);
    return () => document.removeEventListener("pointerdown", close);
  }, [open]);

  const onKey = (event: KeyboardEvent) => {
    if (!open) return;
    const found = [...(box.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
    const at = found.indexOf(document.activeElement as HTMLElement);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) {
      event.preventDefault();
      found[(at + step + found.length) % found.length]?.focus();
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
        aria-label={label}
        title={label}
        onClick={() => setOpen(!open)}
      >
        <Icon aria-hidden />
      </button>
      {open && (
        <div className={below ? "menu-list below" : "menu-list"}>
          {head}
          <div role="menu" aria-label={label}>
            {items.map(({ key, text, icon: ItemIcon, run, checked }) => (
              <button
                key={key}
                type="button"
                role={chooses ? "menuitemradio" : "menuitem"}
                aria-checked={chooses ? checked : undefined}
                onClick={() => {
                  setOpen(false);
                  opener.current?.focus();
                  run();
                }}
              >
                <ItemIcon aria-hidden />
                <span>{text}</span>
                {checked && <Check aria-hidden className="tick" />}
              </button>
            ))}
          </div>
        </div>
      )}
    </div>
  );
}

const MODE_ICONS: Record<Mode, LucideIcon> = { system: Monitor, light: Sun, dark: Moon, wall: Presentation };

export function ModeMenu({ below }: { below?: boolean }) {
  const { t } = useTranslation();
  const mode = useMode();
  const items = MODES.map((choice) => ({
    key: choice,
    text: t(`frame.modes.${choice}`),
    icon: MODE_ICONS[choice],
    checked: choice === mode,
    run: () => setMode(choice),
  }));
  return <Menu label={t("frame.mode")} icon={MODE_ICONS[mode]} items={items} below={below} />;
}

export function LanguageButton() {
  const { t, i18n } = useTranslation();
  return (
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
  );
}
