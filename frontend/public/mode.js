// Sets language and look before the first paint, so that no page flashes in the wrong colours.
(function () {
  var page = document.documentElement;
  var mode = "system";
  var language = null;
  try {
    mode = localStorage.getItem("jingwei.mode") || "system";
    language = localStorage.getItem("jingwei.lang");
  } catch (_) {
    // storage may be forbidden; the defaults hold
  }
  language = new URLSearchParams(location.search).get("lang") || language || (/^en/i.test(navigator.language) ? "en" : "zh");
  var dark = mode === "system" ? matchMedia("(prefers-color-scheme: dark)").matches : mode !== "light";
  page.dataset.mode = mode;
  page.dataset.look = dark ? "dark" : "light";
  page.lang = language === "en" ? "en" : "zh-CN";
})();
