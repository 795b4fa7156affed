/** How the report looks: light and dark, on a phone, on paper. Text on its ground has a contrast of 4.5 to 1 or more. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #faf9f7; --card: #ffffff; --line: #e2dfda; --text: #1f2328; --soft: #5c6370;
  --hit: #0f766e; --miss: #c2570c; --bar: #3b6fb5; --track: #eceae6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --card: #1c2026; --line: #30363d; --text: #e6e8eb; --soft: #a0a8b3;
    --hit: #2fb8a6; --miss: #f0883e; --bar: #6ea3e8; --track: #2a2f36;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 60rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; letter-spacing: -0.01em; }
h2 { margin: 0 0 0.75rem; font-size: 1.05rem; }
p { margin: 0; }
.soft, caption, th, .axis, footer { color: var(--soft); }
header { margin-bottom: 1.5rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 0.75rem; margin: 0 0 0.75rem; }
.cards div, section {
  background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem; padding: 1rem 1.15rem;
}
.cards div { display: flex; flex-direction: column; }
.cards dt { color: var(--soft); font-size: 0.85rem; }
.cards dd { margin: 0; }
.cards .big { font-size: 1.7rem; white-space: nowrap; line-height: 1.3; font-weight: 650; letter-spacing: -0.02em; }
.cards .soft { font-size: 0.85rem; }
section { margin-bottom: 0.75rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 0 0.75rem; align-items: start; }
figure { margin: 0; }
figcaption { display: flex; flex-wrap: wrap; gap: 0.15rem 1.1rem; font-size: 0.85rem; color: var(--soft); margin-bottom: 0.6rem; }
.swatch { width: 0.7rem; height: 0.7rem; margin-right: 0.4rem; border-radius: 2px; }
.columns { display: block; width: 100%; height: 9rem; border-bottom: 1px solid var(--line); }
.axis { display: flex; justify-content: space-between; font-size: 0.8rem; margin-top: 0.3rem; }
.bar-chart { display: block; width: 100%; height: 0.6rem; border-radius: 0.3rem; }
.hit { fill: var(--hit); } .miss { fill: var(--miss); } .bar { fill: var(--bar); } .track { fill: var(--track); }
.field { fill: transparent; } g:hover .field { fill: var(--track); }
table { width: 100%; border-collapse: collapse; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th { font-weight: 500; font-size: 0.8rem; text-align: left; }
td, th { padding: 0.35rem 0.5rem; border-top: 1px solid var(--line); vertical-align: middle; }
thead th, thead td { border-top: 0; }
tbody th { color: var(--text); font-weight: 600; font-size: inherit; overflow-wrap: anywhere; min-width: 7rem; }
td:first-child, th:first-child { padding-left: 0; } td:last-child, th:last-child { padding-right: 0; }
.number { text-align: right; white-space: nowrap; }
.chart { width: 40%; min-width: 3rem; }
details { margin-top: 0.75rem; font-size: 0.9rem; }
summary { cursor: pointer; color: var(--soft); }
details table { margin-top: 0.5rem; }
footer { margin-top: 1.25rem; font-size: 0.85rem; }
@media (max-width: 32rem) {
  body { padding: 1.25rem 0.75rem 2rem; }
  .cards { grid-template-columns: 1fr 1fr; gap: 0.5rem; }
  .cards div, section { padding: 0.8rem 0.85rem; }
  .cards .big { font-size: 1.35rem; }
  td, th { padding: 0.3rem; }
  .chart { width: 30%; min-width: 2rem; }
}
@media print {
  :root {
    --ground: #ffffff; --card: #ffffff; --line: #cccccc; --text: #000000; --soft: #444444;
    --hit: #0f766e; --miss: #c2570c; --bar: #3b6fb5; --track: #eeeeee;
  }
  html { font-size: 10pt; }
  body { padding: 0; max-width: none; }
  section, .cards div { break-inside: avoid; border-radius: 0; }
  details { display: none; }
  svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
