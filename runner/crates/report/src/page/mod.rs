//! `index.html`: the result for people, as one page.
//!
//! The page needs nothing but itself: style and program are in it, and it may not load anything (its policy says so to the
//! browser). Without a program it has everything but the logs, which lie beside it. What is large is bounded.
//!
//! - [`html`]: text that is no markup;
//! - [`cause`]: why a test did not pass, on the first screen;
//! - [`timeline`]: a lane for each machine;
//! - [`steps`]: subtests and steps;
//! - [`logs`]: lines to search in;
//! - [`pictures`]: pictures of screens.

mod cause;
mod html;
mod logs;
mod pictures;
mod steps;
mod timeline;

use std::path::Path;

use crate::log::Logs;
use crate::model::Report;
use crate::outcome::Outcome;
use crate::time::{self, Spent};
use html::{Html, link, seconds};

const STYLE: &str = include_str!("page.css");
const PROGRAM: &str = include_str!("page.js");

/// The page, for a folder in which the files lie that the report names.
#[must_use]
pub fn render(report: &Report, logs: &Logs, folder: &Path) -> String {
    let mut html = Html::default();
    html.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    html.raw(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'; img-src data:\">",
    );
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">");
    let verdict = report.outcome.describe();
    html.element("title", "", format_args!("{}: {verdict}", report.name));
    html.raw("<style>").raw(STYLE).raw("</style></head>");
    let class = match report.outcome {
        Outcome::Passed => "passed",
        _ => "failed",
    };
    html.open("body", class);
    header(&mut html, report);
    html.raw("<main>");
    cause::render(&mut html, report, logs);
    spent(&mut html, report);
    timeline::render(&mut html, report);
    steps::subtests(&mut html, report);
    pictures::render(&mut html, report, folder);
    steps::slowest(&mut html, report);
    machines(&mut html, report);
    script(&mut html, report);
    steps::all(&mut html, report);
    logs::render(&mut html, report, logs);
    html.raw("</main>");
    footer(&mut html, report);
    html.raw("<script>").raw(PROGRAM).raw("</script>");
    html.raw("</body></html>\n");
    html.0
}

fn header(html: &mut Html, report: &Report) {
    html.raw("<header><div>");
    html.element("h1", "", &report.name);
    let (mark, word) = match report.outcome {
        Outcome::Passed => ("✓", "passed"),
        other => ("✗", other.describe()),
    };
    html.open("p", "verdict");
    html.open("strong", "")
        .raw(mark)
        .raw(" ")
        .text(word)
        .close("strong");
    html.element("span", "", format_args!("in {}", seconds(report.duration)));
    if report.exit_code != 0 {
        html.element("span", "", format_args!("exit code {}", report.exit_code));
    }
    html.close("p");
    html.open("p", "facts");
    let subtests = report.steps.iter().filter(|step| step.subtest.is_some());
    let failed = subtests.clone().filter(|step| !step.passed).count();
    html.element("span", "", count(report.machines.len(), "machine"));
    match subtests.count() {
        0 => {}
        all if failed == 0 => drop(html.element("span", "", count(all, "subtest"))),
        all => drop(html.element(
            "span",
            "",
            format_args!("{failed} of {} failed", count(all, "subtest")),
        )),
    }
    if let Some(acceleration) = &report.acceleration {
        html.element("span", "", acceleration);
    }
    if let Some(snapshot) = &report.snapshot {
        let text = match &snapshot.unused {
            None => "machines go on from a snapshot".to_owned(),
            Some(reason) => format!("the snapshot was not used: {reason}"),
        };
        html.element("span", "", text);
    }
    html.raw("</p></div></header>");
}

fn count(number: usize, of: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {of}{plural}")
}

/// The beginning of a section.
fn section(html: &mut Html, id: &str, title: &str) {
    html.open_with("section", &[("id", &id)]);
    html.element("h2", "", title);
}

/// Where the time went, as one bar.
fn spent(html: &mut Html, report: &Report) {
    section(html, "time", "Where the time went");
    let spent = time::spent(report);
    let shown = || spent.iter().filter(|(_, seconds)| *seconds > 0.0);
    html.open("div", "spent");
    for (kind, took) in shown() {
        let share = 100.0 * took / report.duration.max(f64::MIN_POSITIVE);
        let title = format!("{}: {}", kind.describe(), seconds(*took));
        html.open_with(
            "i",
            &[
                ("class", &kind.class()),
                ("style", &format_args!("width:{share:.3}%")),
                ("title", &title),
            ],
        );
        html.close("i");
    }
    html.raw("</div>").open("ul", "legend");
    for (kind, took) in shown() {
        legend(html, *kind, Some(*took));
    }
    html.raw("</ul></section>");
}

fn legend(html: &mut Html, kind: Spent, took: Option<f64>) {
    html.raw("<li>")
        .open("i", kind.class())
        .close("i")
        .text(kind.describe());
    if let Some(took) = took {
        html.raw(" ").element("b", "", seconds(took));
    }
    html.raw("</li>");
}

/// The machines with their files, and the networks between them.
fn machines(html: &mut Html, report: &Report) {
    if report.machines.is_empty() {
        return;
    }
    section(html, "machines", "Machines");
    html.raw("<div class=\"scroll\"><table><thead><tr><th>machine</th><th>boots</th><th>up after</th><th>end</th><th>files</th></tr></thead><tbody>");
    for (name, machine) in &report.machines {
        html.raw("<tr>").element("th", "", name);
        html.element("td", "number", machine.boots.len());
        let up = machine.boots.first();
        let up = up.and_then(|boot| Some((boot.up? - boot.power_on, boot.restored)));
        html.element(
            "td",
            "number",
            match up {
                Some((took, true)) => format!("{} (restored)", seconds(took)),
                Some((took, false)) => seconds(took),
                None => "–".to_owned(),
            },
        );
        let end = match (&machine.end, machine.boots.is_empty()) {
            (Some(end), _) => end,
            (None, true) => "never started",
            (None, false) => "ran to the end",
        };
        html.element("td", if machine.failed { "bad" } else { "" }, end);
        html.raw("<td>");
        let files = [
            ("console", &machine.console_log),
            ("journal", &machine.journal_log),
            ("QEMU", &machine.qemu_log),
        ];
        for (what, file) in files {
            if let Some(file) = file {
                html.open_with("a", &[("href", &link(file))])
                    .text(what)
                    .raw("</a> ");
            }
        }
        html.raw("</td></tr>");
    }
    html.raw("</tbody></table></div>");
    if !report.vlans.is_empty() {
        html.raw("<div class=\"scroll\"><table><thead><tr><th>network</th><th>frames</th><th>bytes</th><th>dropped</th></tr></thead><tbody>");
        for (vlan, traffic) in &report.vlans {
            html.raw("<tr>")
                .element("th", "", format_args!("VLAN {vlan}"));
            html.element("td", "number", traffic.frames);
            html.element("td", "number", traffic.bytes);
            html.element("td", "number", traffic.dropped);
            html.raw("</tr>");
        }
        html.raw("</tbody></table></div>");
    }
    html.raw("</section>");
}

/// The scripts, with the failing lines marked.
fn script(html: &mut Html, report: &Report) {
    for script in &report.scripts {
        if script.text.is_empty() {
            continue;
        }
        section(html, &format!("script-{}", script.name), &script.name);
        let lines = script.text.lines().count();
        html.raw("<details><summary>")
            .text(count(lines, "line"))
            .raw("</summary>");
        let failing: Vec<usize> = report
            .failures()
            .filter(|failure| failure.script.as_ref() == Some(&script.name))
            .filter_map(|failure| failure.line)
            .collect();
        cause::code(html, &script.text, &failing, 1..=usize::MAX);
        html.raw("</details></section>");
    }
}

fn footer(html: &mut Html, report: &Report) {
    html.raw("<footer><p>Made by vmtest. The same for programs: <a href=\"./report.json\">report.json</a>");
    html.text(format_args!(" (version {})", report.version));
    html.raw(", <a href=\"./junit.xml\">junit.xml</a>.</p></footer>");
}
