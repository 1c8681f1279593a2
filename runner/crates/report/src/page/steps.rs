//! Subtests and steps.

use super::cause::output;
use super::html::{Html, seconds};
use super::section;
use crate::model::{Report, Step};
use crate::time;

/// How many of the slowest steps are shown.
const SLOWEST: usize = 20;

/// Most steps in the list of all.
const MOST: usize = 2000;

/// Bytes of outputs in that list, all together.
const OUTPUTS: usize = 2 << 20;

/// The subtests, each with its result.
pub(super) fn subtests(html: &mut Html, report: &Report) {
    let mut subtests: Vec<&Step> = report
        .steps
        .iter()
        .filter(|step| step.subtest.is_some())
        .collect();
    if subtests.is_empty() {
        return;
    }
    subtests.sort_by_key(|step| step.id);
    section(html, "subtests", "Subtests");
    html.raw("<ol class=\"subtests\">");
    for step in subtests.into_iter().take(MOST) {
        let depth = report.subtests_around(step.id).len().saturating_sub(1);
        html.open_with(
            "li",
            &[("style", &format_args!("--depth:{}", depth.min(8)))],
        );
        mark(html, step.passed);
        html.open_with("a", &[("href", &format_args!("#step{}", step.id))]);
        html.text(step.subtest.as_deref().unwrap_or_default())
            .raw("</a>");
        html.element("span", "number", seconds(step.duration));
        if let Some(error) = &step.error {
            let error = error.lines().next().unwrap_or_default();
            html.element("code", "bad", error);
        }
        html.raw("</li>");
    }
    html.raw("</ol></section>");
}

/// The steps that took longest.
pub(super) fn slowest(html: &mut Html, report: &Report) {
    let slowest = time::slowest(report, SLOWEST);
    let Some((_, longest)) = slowest.first().copied() else {
        return;
    };
    section(html, "slowest", "Slowest steps");
    html.raw("<div class=\"scroll\"><table class=\"slowest\"><tbody>");
    for (step, own) in slowest {
        html.raw("<tr>");
        html.element("td", "number", seconds(own));
        html.raw("<td class=\"share\">");
        let width = format!("width:{:.2}%", 100.0 * own / longest);
        let class = time::kind_of(step).class();
        html.open_with("i", &[("class", &class), ("style", &width)])
            .raw("</i></td>");
        html.element("td", "machine", step.machine.as_deref().unwrap_or_default());
        html.raw("<td>");
        html.open_with("a", &[("href", &format_args!("#step{}", step.id))]);
        html.text(step.message.lines().next().unwrap_or_default());
        html.raw("</a></td></tr>");
    }
    html.raw("</tbody></table></div></section>");
}

/// All steps, in the order in which they began.
pub(super) fn all(html: &mut Html, report: &Report) {
    if report.steps.is_empty() {
        return;
    }
    let mut steps: Vec<&Step> = report.steps.iter().collect();
    steps.sort_by_key(|step| step.id);
    section(html, "steps", "All steps");
    html.raw("<details><summary>")
        .text(super::count(steps.len(), "step"))
        .raw("</summary>");
    html.raw("<ol class=\"steps\">");
    let mut room = OUTPUTS;
    for step in steps.iter().take(MOST) {
        self::step(html, report, step, &mut room);
    }
    html.raw("</ol>");
    if steps.len() > MOST {
        let more = steps.len() - MOST;
        html.element(
            "p",
            "note",
            format_args!("… and {more} more: see report.json"),
        );
    }
    html.raw("</details></section>");
}

fn step(html: &mut Html, report: &Report, step: &Step, room: &mut usize) {
    let depth = depth(report, step).min(8);
    html.open_with(
        "li",
        &[
            ("id", &format_args!("step{}", step.id)),
            ("style", &format_args!("--depth:{depth}")),
        ],
    );
    html.element("span", "number", seconds(step.start));
    html.element("span", "number", seconds(step.duration));
    let printed = step.command.as_ref().filter(|command| {
        let size = command.stdout.len() + command.stderr.len();
        size > 0 && size <= *room
    });
    html.raw("<div>");
    if printed.is_some() {
        html.raw("<details><summary>");
    }
    mark(html, step.passed);
    if let Some(machine) = &step.machine {
        html.element("b", "", machine).raw(" ");
    }
    html.text(&step.message);
    if step.commands > 1 {
        html.element("small", "", format_args!(" {} commands", step.commands));
    }
    if let Some(command) = printed {
        *room -= command.stdout.len() + command.stderr.len();
        html.element("small", "", format_args!(" {}", command.ending.describe()));
        html.raw("</summary>");
        for (title, text) in [
            ("standard error", &command.stderr),
            ("standard output", &command.stdout),
        ] {
            if !text.trim().is_empty() {
                output(html, title, text);
            }
        }
        html.raw("</details>");
    }
    html.raw("</div></li>");
}

/// How many steps and subtests are around it.
fn depth(report: &Report, step: &Step) -> usize {
    let mut depth = 0;
    let mut next = step.parent.filter(|parent| *parent < step.id);
    while let Some(around) = next.and_then(|id| report.step(id)) {
        depth += 1;
        next = around.parent.filter(|parent| *parent < around.id);
    }
    depth
}

fn mark(html: &mut Html, passed: bool) {
    match passed {
        true => html.raw("<i class=\"mark good\" title=\"passed\">✓</i>"),
        false => html.raw("<i class=\"mark bad\" title=\"failed\">✗</i>"),
    };
}
