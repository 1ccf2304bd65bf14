/** The data pages: what the city holds, how good it is, where it came from. */
import { Route, Routes } from "react-router";
import "./data.css";
import { DatasetPage } from "./DatasetPage";
import { DatasetsPage } from "./DatasetsPage";
import { RecordPage } from "./RecordPage";

export default function DataPage() {
  return (
    <Routes>
      <Route index element={<DatasetsPage />} />
      <Route path=":id/records/:fact" element={<RecordPage />} />
      <Route path=":id/*" element={<DatasetPage />} />
    </Routes>
  );
}
