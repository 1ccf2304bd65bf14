/** The data pages: what the city holds, how good it is, where it came from. */
import { Route, Routes } from "react-router";
import "./data.css";
import { CorrectionPage, CorrectionsPage } from "./CorrectionsPage";
import { DatasetPage } from "./DatasetPage";
import { DatasetsPage } from "./DatasetsPage";
import { IntakeFile } from "./IntakeFile";
import { IntakePage } from "./IntakePage";
import { MatchingPage, MatchingsPage } from "./MatchingPage";
import { RecordPage } from "./RecordPage";

export default function DataPage() {
  return (
    <Routes>
      <Route index element={<DatasetsPage />} />
      <Route path="corrections" element={<CorrectionsPage />} />
      <Route path="corrections/:correction" element={<CorrectionPage />} />
      <Route path="matching" element={<MatchingsPage />} />
      <Route path="matching/:name" element={<MatchingPage />} />
      <Route path="intake" element={<IntakePage />} />
      <Route path="intake/:file" element={<IntakeFile />} />
      <Route path=":id/records/:fact" element={<RecordPage />} />
      <Route path=":id/*" element={<DatasetPage />} />
    </Routes>
  );
}
