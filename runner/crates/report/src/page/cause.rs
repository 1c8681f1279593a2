//! Why a test did not pass: what people want to see first.

use std::ops::RangeInclusive;

use super::html::{Html, seconds};
use super::section;
use crate::finding::Finding;
use crate::log::Logs;
use crate::model::step::excerpt;
use crate::model::{CommandReport, FailureReport, Report, Step};

/// Lines before and after a failing line.
const AROUND: usize = 4;

/// Failures that are shown with all of their details.
const MOST: usize = 20;

/// Findings, and units of each machine.
const MOST_FINDINGS: usize = 12;

/// Lines of the console of a machine that ended badly.
const TAIL: usize = 12;

/// Bytes of each output.
const OUTPUT: usize = 16 << 10;

pub(super) fn render(html: &mut Html, report: &Report, logs: &Logs) {
    let failures: Vec<&FailureReport> = report.failures().collect();
    if failures.is_empty() && report.findings.is_empty() {
        return;
    }
    let title = match failures.len() {
        0 => "Found".to_owned(),
        1 => "Why it failed".to_owned(),
        failures => format!("{failures} failures"),
    };
    section(html, "cause", &title);
    for failure in failures.iter().take(MOST) {
        self::failure(html, report, failure);
    }
    if failures.len() > MOST {
        let more = failures.len() - MOST;
        html.element(
            "p",
            "note",
            format_args!("… and {more} more: see report.json"),
        );
    }
    findings(html, report);
    machines(html, report, logs);
    html.raw("</section>");
}

fn failure(html: &mut Html, report: &Report, failure: &FailureReport) {
    let step = failure.step.and_then(|step| report.step(step));
    html.open("article", "failure");
    let around = failure.step.or(failure.subtest);
    let around = around.map_or_else(Vec::new, |id| report.subtests_around(id));
    if !around.is_empty() {
        html.element(
            "p",
            "where",
            format_args!("subtest: {}", around.join(" / ")),
        );
    }
    let (headline, rest) = headline(&failure.message);
    html.element("h3", "", headline);
    html.raw("<div class=\"columns\">");
    let script = failure
        .script
        .as_deref()
        .and_then(|name| report.script(name));
    if let (Some(script), Some(line)) = (script, failure.line) {
        html.raw("<div>");
        html.element("h4", "", format_args!("{}, line {line}", script.name));
        let shown = line.saturating_sub(AROUND)..=line.saturating_add(AROUND);
        code(html, &script.text, &[line], shown);
        html.raw("</div>");
    }
    match step.and_then(|step| step.command.as_ref()) {
        Some(command) => {
            let step = step.filter(|step| step.commands > 1);
            html.raw("<div>");
            self::command(html, command, step);
            html.raw("</div>");
        }
        // It has the outputs of commands that nobody has told of.
        None if !rest.is_empty() => {
            html.raw("<div>");
            html.element("h4", "", "said");
            html.element("pre", "output", excerpt(rest, OUTPUT));
            html.raw("</div>");
        }
        None => {}
    }
    html.raw("</div>");
    if !failure.traceback.trim().is_empty() {
        html.raw("<details><summary>traceback</summary>");
        html.open("pre", "output")
            .text(failure.traceback.trim_end());
        html.raw("\n")
            .text(&failure.message)
            .raw("</pre></details>");
    }
    html.raw("</article>");
}

/// The first line of a message, and the others.
fn headline(message: &str) -> (&str, &str) {
    let (first, rest) = message.split_once('\n').unwrap_or((message, ""));
    (first, rest.trim_end())
}

/// A command and what it printed. Of a wait, it is the last of several tries.
fn command(html: &mut Html, command: &CommandReport, tries: Option<&Step>) {
    let CommandReport {
        command,
        machine,
        ending,
        duration,
        stdout,
        stderr,
    } = command;
    html.open("h4", "")
        .text(format_args!("command in {machine}"))
        .raw(": ");
    html.element("span", "bad", ending.describe());
    html.text(format_args!(" after {}", seconds(*duration)));
    if let Some(step) = tries {
        html.text(format_args!(", the last of {} tries", step.commands));
    }
    html.raw("</h4>");
    html.element("pre", "command", excerpt(command.trim_end(), OUTPUT));
    output(html, "standard error", stderr);
    output(html, "standard output", stdout);
}

pub(super) fn output(html: &mut Html, title: &str, text: &str) {
    if text.trim().is_empty() {
        html.element("p", "none", format_args!("no {title}"));
        return;
    }
    html.element("h5", "", title);
    html.element("pre", "output", excerpt(text.trim_end(), OUTPUT));
}

/// Lines of a script, some of them marked.
pub(super) fn code(html: &mut Html, text: &str, marked: &[usize], shown: RangeInclusive<usize>) {
    html.raw("<pre class=\"code\">");
    for (number, line) in (1..)
        .zip(text.lines())
        .filter(|(number, _)| shown.contains(number))
    {
        let is_marked = marked.contains(&number);
        html.raw(if is_marked { "<mark>" } else { "<span>" });
        html.open_with("b", &[("data-n", &number)])
            .raw("</b>")
            .text(line)
            .raw("\n");
        html.raw(if is_marked { "</mark>" } else { "</span>" });
    }
    html.raw("</pre>");
}

fn findings(html: &mut Html, report: &Report) {
    // How a machine ended is told with the end of its console.
    let is_end = |finding: &&Finding| {
        let machine = report.machines.get(&finding.machine);
        machine.is_some_and(|machine| machine.end.as_ref() == Some(&finding.text))
    };
    let findings: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| !is_end(finding))
        .collect();
    if findings.is_empty() {
        return;
    }
    html.open("ul", "findings");
    for finding in findings.iter().take(MOST_FINDINGS) {
        html.raw("<li>");
        html.element(
            "b",
            "",
            format_args!("{}: {}", finding.machine, finding.kind.describe()),
        );
        html.element("span", "", format_args!(" at {}", seconds(finding.time)));
        html.element("code", "", &finding.text);
        if let Some(pattern) = &finding.pattern {
            html.element("span", "", format_args!("pattern: {pattern}"));
        }
        html.raw("</li>");
    }
    html.raw("</ul>");
    if findings.len() > MOST_FINDINGS {
        let more = findings.len() - MOST_FINDINGS;
        html.element(
            "p",
            "note",
            format_args!("… and {more} more: see report.json"),
        );
    }
}

/// Machines that ended badly, and what has failed in the others.
fn machines(html: &mut Html, report: &Report, logs: &Logs) {
    for (name, machine) in &report.machines {
        if machine.failed
            && let Some(end) = &machine.end
        {
            html.raw("<article class=\"failure\">");
            html.element("h3", "", format_args!("{name}: {end}"));
            let tail = logs.around(name, Some(end), TAIL);
            if !tail.is_empty() {
                html.element("h4", "", "the end of its console");
                html.element("pre", "output", tail.join("\n"));
            }
            html.raw("</article>");
        }
        for unit in machine.failed_units.iter().take(MOST_FINDINGS) {
            html.raw("<article class=\"failure\">");
            html.element("h3", "", format_args!("{name}: {} has failed", unit.name));
            if !unit.journal.is_empty() {
                html.element("h4", "", "the last lines of its journal");
                html.element("pre", "output", unit.journal.join("\n"));
            }
            html.raw("</article>");
        }
    }
}
