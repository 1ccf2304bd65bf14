/** The pages' words, Chinese first and English complete. The type of `zh` is the contract for `en`. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { en } from "./en";
import { zh } from "./zh";

export type Language = "zh" | "en";
export type Text = { zh: string; en: string };

const KEY = "jingwei.lang";
const page = document.documentElement;

export function languageNow(): Language {
  return page.lang === "en" ? "en" : "zh";
}

void i18next.use(initReactI18next).init({
  lng: languageNow(),
  fallbackLng: "zh",
  resources: { zh: { translation: zh }, en: { translation: en } },
  interpolation: { escapeValue: false },
  returnNull: false,
});

export function setLanguage(language: Language): void {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // forgotten with the page, nothing else
  }
  page.lang = language === "en" ? "en" : "zh-CN";
  void i18next.changeLanguage(language);
}

/** A text of the city in the reader's language. */
export function say(text: Text | undefined | null): string {
  if (!text) return "";
  return languageNow() === "en" ? text.en || text.zh : text.zh || text.en;
}

/** The `lang` of a text that comes from data: Chinese in an English page is said to be so. */
export function langOf(text: unknown): "zh-CN" | undefined {
  return languageNow() === "en" && typeof text === "string" && /\p{Script=Han}/u.test(text) ? "zh-CN" : undefined;
}

const locale = () => (languageNow() === "en" ? "en-GB" : "zh-CN");

export function count(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

export function decimal(value: number, digits = 2): string {
  return new Intl.NumberFormat(locale(), { maximumSignificantDigits: digits }).format(value);
}

/** Several things in one line, as the language joins them. */
export function list(things: string[]): string {
  return new Intl.ListFormat(locale(), { type: "conjunction" }).format(things);
}

export function share(value: number): string {
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 2 }).format(value);
}

/** A length in the unit that suits it, from millimetres to kilometres. */
export function metres(value: number): string {
  const three = (x: number) => new Intl.NumberFormat(locale(), { maximumSignificantDigits: 3 }).format(x);
  const en = languageNow() === "en";
  if (value >= 1000) return `${three(value / 1000)} ${en ? "km" : "千米"}`;
  if (value >= 1) return `${three(value)} ${en ? "m" : "米"}`;
  if (value >= 0.01) return `${three(value * 100)} ${en ? "cm" : "厘米"}`;
  return `${three(value * 1000)} ${en ? "mm" : "毫米"}`;
}

export function squareMetres(value: number): string {
  const three = (x: number) => new Intl.NumberFormat(locale(), { maximumSignificantDigits: 3 }).format(x);
  const en = languageNow() === "en";
  if (value >= 1e6) return `${three(value / 1e6)} ${en ? "km²" : "平方千米"}`;
  if (value >= 1) return `${three(value)} ${en ? "m²" : "平方米"}`;
  return `${three(value * 1e4)} ${en ? "cm²" : "平方厘米"}`;
}

export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let n = value;
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) {
    n /= 1024;
    unit += 1;
  }
  return `${decimal(n, 3)} ${units[unit]}`;
}

export type Precision = "year" | "month" | "day" | "hour" | "minute" | "second";

/** An instant in the city's zone, never finer than it is known. */
export function instant(iso: string, zone: string, precision: Precision = "second"): string {
  const parts: Intl.DateTimeFormatOptions = { timeZone: zone, year: "numeric" };
  const order: Precision[] = ["year", "month", "day", "hour", "minute", "second"];
  const depth = order.indexOf(precision);
  if (depth >= 1) parts.month = languageNow() === "en" ? "short" : "numeric";
  if (depth >= 2) parts.day = "numeric";
  if (depth >= 3) {
    parts.hour = "2-digit";
    parts.minute = "2-digit";
    parts.hourCycle = "h23";
  }
  if (depth >= 5) parts.second = "2-digit";
  return new Intl.DateTimeFormat(locale(), parts).format(new Date(iso));
}

/** A day of the city's zone without its year, as short as an axis needs it. */
export function dayOfYear(at: number, zone: string): string {
  const month = languageNow() === "en" ? "short" : "numeric";
  return new Intl.DateTimeFormat(locale(), { timeZone: zone, month, day: "numeric" }).format(at);
}
