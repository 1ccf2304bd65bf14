/** The log: everything that changed the city's record, and the proof of it. */
import { Route, Routes } from "react-router";
import { EventPage } from "./EventPage";
import "./log.css";
import { SearchPage } from "./SearchPage";
import { VerifyPage } from "./VerifyPage";

export default function LogPage() {
  return (
    <Routes>
      <Route index element={<SearchPage />} />
      <Route path="verify" element={<VerifyPage />} />
      <Route path=":position" element={<EventPage />} />
    </Routes>
  );
}
