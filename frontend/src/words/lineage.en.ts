/** Where a version of a dataset came from, and what was made of it. */
import type { lineageZh } from "./lineage.zh";

export const lineageEn: typeof lineageZh = {
  publishedBy: "publisher: {{by}}",
  uses: "What was made of it",
  noUses: "Nothing was made of this version yet.",
  reads: "Datasets that were read to make it",
  read: "Read:",
  unrecorded: "Which datasets were read to make it was not recorded.",
  and: ", ",
  times: "{{count}} times, last",
  identifiers: "{{count}}",
  kinds: {
    compacted: "Files put together:",
    "same-file": "Dataset of the same file:",
    read: "Made by reading it:",
    compared: "Checked against it:",
    checked: "Checked by the contract:",
    correction: "Request for corrections:",
    matched: "Matched records:",
    cases: "Cases founded on it:",
    rule: "Goes by it: rule",
    "rolled-up": "All its readings count in the figures by cell and hour",
    identified: "Identifiers of the city were issued:",
    "open-data": "Published as open data:",
    exported: "Exported:",
  },
  how: {
    place: "for its places",
    area: "for its area",
    boundary: "the city's boundary",
    anchor: "coordinates weighed by it",
    rule: "a rule of the contract",
    declared: "as the source declares",
    stated: "as its file states",
  },
};
