#pragma once
// The one style sheet of the page. tidy: table

#include <string_view>

namespace contextcore::api {

inline constexpr std::string_view kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --ground: #fbfaf8; --card: #ffffff; --ink: #1d2126; --soft: #646c76; --line: #e3e0da;
  --accent: #2f5d8a; --track: #efede8;
  --blocked: #b3372b; --failed: #8a2b2b; --active: #2f6db3; --review: #7a55b5; --todo: #8b929b;
  --done: #3b8151; --telemetry: #b17a22; --insight: #2c8583;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #15181c; --card: #1d2126; --ink: #e6e4df; --soft: #9aa2ac; --line: #2f353c;
    --accent: #8fb8de; --track: #282d33;
    --blocked: #e5776b; --failed: #c96a6a; --active: #6da5e3; --review: #b095e0; --todo: #7b838d;
    --done: #71b587; --telemetry: #d6a350; --insight: #62b9b6;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
header { display: flex; gap: .75rem; align-items: center; padding: .9rem 1.25rem;
  border-bottom: 1px solid var(--line); background: var(--card); }
main { max-width: 68rem; margin: 0 auto; padding: 1.25rem; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
.home { font-weight: 650; color: var(--ink); letter-spacing: .01em; }
.demo { font-size: .72rem; font-weight: 700; letter-spacing: .08em; padding: .1rem .5rem;
  border-radius: 1rem; color: var(--card); background: var(--telemetry); }
h1 { font-size: 1.45rem; line-height: 1.25; margin: .25rem 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2rem 0 .25rem; }
.soft { color: var(--soft); }
.small { font-size: .86rem; }
.number { font-variant-numeric: tabular-nums; }
.cards { display: grid; gap: .9rem; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr));
  margin-top: .75rem; }
.card, .list { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
.card { padding: .9rem 1rem; }
.card h3 { margin: 0 0 .5rem; font-size: 1.02rem; overflow-wrap: anywhere; }
.counts { display: flex; flex-wrap: wrap; gap: .3rem .9rem; margin: .6rem 0 0; padding: 0; }
.counts div { display: flex; gap: .35rem; align-items: baseline; font-size: .88rem; }
.counts dt { color: var(--soft); }
.counts dd { margin: 0; font-weight: 650; font-variant-numeric: tabular-nums; }
.list { margin: .75rem 0 0; padding: 0; list-style: none; }
.list li { display: grid; grid-template-columns: 10rem 1fr auto; gap: .2rem .9rem; align-items: baseline;
  padding: .55rem 1rem; border-top: 1px solid var(--line); }
.list li:first-child { border-top: 0; }
.list .what { overflow-wrap: anywhere; min-width: 0; }
.list .note { grid-column: 2 / -1; color: var(--soft); font-size: .88rem; overflow-wrap: anywhere; }
.status { font-size: .8rem; font-weight: 650; white-space: nowrap; }
.blocked { color: var(--blocked); fill: var(--blocked); }
.failed { color: var(--failed); fill: var(--failed); }
.in_progress { color: var(--active); fill: var(--active); }
.in_review { color: var(--review); fill: var(--review); }
.todo, .backlog, .cancelled { color: var(--todo); fill: var(--todo); }
.done { color: var(--done); fill: var(--done); }
.telemetry { color: var(--telemetry); fill: var(--telemetry); }
.insight { color: var(--insight); fill: var(--insight); }
.id { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .84rem;
  color: var(--soft); overflow-wrap: anywhere; }
svg { display: block; width: 100%; }
.track { fill: var(--track); }
.open { fill-opacity: .65; }
.fields { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .3rem 1.2rem;
  margin: .75rem 0 0; padding: .9rem 1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .6rem; }
.fields dt { color: var(--soft); }
.fields dd { margin: 0; overflow-wrap: anywhere; white-space: pre-line; }
.fall { margin-top: .75rem; padding: .6rem 1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .6rem; }
.fall .row { display: grid; grid-template-columns: minmax(9rem, 34%) 1fr 5.2rem; gap: .8rem;
  align-items: center; padding: .2rem 0; }
.fall .label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: .9rem; }
.fall .d1 { padding-left: 1rem; } .fall .d2 { padding-left: 2rem; } .fall .d3 { padding-left: 3rem; }
.fall .d4 { padding-left: 4rem; } .fall .d5 { padding-left: 5rem; }
.fall .time { text-align: right; font-size: .84rem; color: var(--soft);
  font-variant-numeric: tabular-nums; white-space: nowrap; }
.axis { display: flex; justify-content: space-between; font-size: .8rem; color: var(--soft);
  margin-top: .4rem; }
.query { margin: .35rem 0 0; font-size: .82rem; color: var(--soft); }
.query summary { cursor: pointer; width: fit-content; }
.query code { display: block; margin-top: .3rem; padding: .5rem .7rem; border-radius: .4rem;
  background: var(--track); color: var(--ink); overflow-wrap: anywhere; user-select: all;
  font: .84rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.empty { color: var(--soft); margin: .75rem 0 0; }
.warning { margin: .75rem 0 0; padding: .5rem .8rem; border-left: 3px solid var(--telemetry);
  background: var(--card); font-size: .9rem; }
@media (max-width: 40rem) {
  main { padding: 1rem .8rem; }
  .list li { grid-template-columns: 1fr auto; }
  .list .status { grid-column: 1; } .list .what { grid-column: 1 / -1; grid-row: 2; }
  .list .note { grid-column: 1 / -1; }
  .fields { grid-template-columns: 1fr; gap: 0; } .fields dd { margin-bottom: .5rem; }
  .fall .row { grid-template-columns: 1fr 5.2rem; } .fall .row svg { grid-column: 1 / -1; grid-row: 2; }
}
)css";

}  // namespace contextcore::api
