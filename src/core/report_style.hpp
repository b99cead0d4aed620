// The style of the page of a report: light or dark as the reader's system is, fit for a phone and for paper.
#pragma once

#include <string_view>

namespace parsimony {

inline constexpr std::string_view kReportStyle = R"(
:root { color-scheme: light dark; --ink: #1c2a33; --faint: #5d6f7b; --line: #dfe5e9; --paper: #fff; --bar: #cfe3ee; --strong: #14688f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e9ed; --faint: #9fb0bb; --line: #33414b; --paper: #151c21; --bar: #234456; --strong: #7cc4e8; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 26px; margin: 8px 0 0; }
h2 { font-size: 18px; margin: 36px 0 8px; }
h2::first-letter { text-transform: uppercase; }
h3 { font-size: 15px; margin: 20px 0 6px; }
small, .lead, figcaption, section > p { color: var(--faint); font-weight: normal; }
.lead { margin: 2px 0 16px; }
.warning { border-left: 4px solid #d08a00; padding: 4px 12px; margin: 8px 0; }
pre { border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px; white-space: pre-wrap; overflow-wrap: anywhere; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--faint); }
th, td { padding: 3px 14px 3px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number { text-align: right; padding-left: 14px; padding-right: 8px;
  background: linear-gradient(90deg, var(--bar) var(--share, 0%), transparent var(--share, 0%)); }
.pairs td { overflow-wrap: anywhere; }
.pairs td:first-child { color: var(--faint); min-width: 160px; }
.wide { overflow-x: auto; max-height: 640px; }
.pictures { display: flex; flex-wrap: wrap; gap: 16px; margin-top: 24px; }
figure { margin: 0; flex: 1 1 300px; }
figure img { max-width: 100%; border: 1px solid var(--line); border-radius: 4px; }
.chart { display: flex; gap: 8px; max-width: 760px; }
.chart .ends { display: flex; flex-direction: column; justify-content: space-between; color: var(--faint); min-width: 64px; text-align: right; }
.chart svg { flex: 1; border: 1px solid var(--line); border-radius: 4px; }
.chart path { fill: none; stroke: var(--strong); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
@media print { .wide { max-height: none; } }
)";

}  // namespace parsimony
