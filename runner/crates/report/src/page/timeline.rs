//! What happened when: a lane for each machine, one for what is about none, and the subtests above them.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;

use super::html::{Html, seconds};
use super::{legend, section};
use crate::model::{Boot, MachineReport, Report, Step};
use crate::time::{Spent, kind_of};

/// Most steps of a lane: the longest of them are shown.
const MOST: usize = 400;

/// Depth to which subtests are shown inside each other.
const DEEPEST: usize = 4;

/// Marks on the axis, about.
const MARKS: f64 = 6.0;

pub(super) fn render(html: &mut Html, report: &Report) {
    if report.steps.is_empty() && report.machines.is_empty() {
        return;
    }
    section(html, "timeline", "Timeline");
    html.raw("<div class=\"timeline\">");
    let scale = Scale(report.duration.max(0.001));
    axis(html, scale);
    subtests(html, report, scale);
    let mut lanes: BTreeMap<Option<&str>, Vec<&Step>> = BTreeMap::new();
    for step in report.steps.iter().filter(|step| step.subtest.is_none()) {
        lanes.entry(step.machine.as_deref()).or_default().push(step);
    }
    let other = lanes.remove(&None).unwrap_or_default();
    // What contains all the rest says nothing.
    let is_whole = |step: &Step| {
        step.parent.is_none()
            && report
                .steps
                .iter()
                .any(|other| other.parent == Some(step.id))
    };
    let other: Vec<&Step> = other.into_iter().filter(|step| !is_whole(step)).collect();
    if !other.is_empty() {
        label(html, "script");
        html.raw("<div class=\"track\">");
        steps(html, other, scale);
        html.raw("</div>");
    }
    for (name, machine) in &report.machines {
        label(html, name);
        html.raw("<div class=\"track machine\">");
        boots(html, machine, scale);
        steps(
            html,
            lanes.remove(&Some(name.as_str())).unwrap_or_default(),
            scale,
        );
        html.raw("</div>");
    }
    html.raw("</div><ul class=\"legend\">");
    for kind in [
        Spent::Booting,
        Spent::Waiting,
        Spent::Running,
        Spent::Script,
    ] {
        legend(html, kind, None);
    }
    html.raw("<li><i class=\"on\"></i>machine runs</li><li><i class=\"bad\"></i>failed</li></ul></section>");
}

#[derive(Clone, Copy)]
struct Scale(f64);

impl Scale {
    fn place(self, start: f64, end: f64) -> String {
        let percent = |time: f64| 100.0 * (time / self.0).clamp(0.0, 1.0);
        let (start, end) = (percent(start), percent(end.max(start)));
        format!("left:{start:.3}%;width:{:.3}%", end - start)
    }
}

fn label(html: &mut Html, name: &str) {
    html.open_with("div", &[("class", &"label"), ("title", &name)])
        .text(name)
        .raw("</div>");
}

fn axis(html: &mut Html, scale: Scale) {
    let rough = scale.0 / MARKS;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = step
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(rough);
    html.raw("<div class=\"label\"></div><div class=\"axis\">");
    let mut time = 0.0;
    while time <= scale.0 * 0.97 {
        html.open_with(
            "span",
            &[(
                "style",
                &format_args!("left:{:.3}%", 100.0 * time / scale.0),
            )],
        );
        let decimals = if step < 1.0 { 1 } else { 0 };
        html.text(format_args!("{time:.decimals$} s"))
            .raw("</span>");
        time += step;
    }
    html.raw("</div>");
}

fn subtests(html: &mut Html, report: &Report, scale: Scale) {
    let mut rows: Vec<Vec<&Step>> = Vec::new();
    let subtests = report.steps.iter().filter(|step| step.subtest.is_some());
    let mut subtests: Vec<&Step> = subtests.collect();
    subtests.sort_by_key(|step| step.id);
    for step in subtests.into_iter().take(MOST) {
        let depth = report.subtests_around(step.id).len() - 1;
        if depth >= DEEPEST {
            continue;
        }
        if rows.len() <= depth {
            rows.resize_with(depth + 1, Vec::new);
        }
        rows[depth].push(step);
    }
    for (depth, row) in rows.iter().enumerate() {
        label(html, if depth == 0 { "subtests" } else { "" });
        html.raw("<div class=\"track subtests\">");
        for step in row {
            let name = step.subtest.as_deref().unwrap_or_default();
            let class = if step.passed {
                "subtest"
            } else {
                "subtest bad"
            };
            bar(html, class, step, scale, name, name);
        }
        html.raw("</div>");
    }
}

fn boots(html: &mut Html, machine: &MachineReport, scale: Scale) {
    for (index, boot) in machine.boots.iter().enumerate() {
        let Boot {
            restored,
            power_on,
            agent,
            up,
            off,
        } = boot;
        let is_last = index + 1 == machine.boots.len();
        let off = off.unwrap_or(scale.0);
        let failed = is_last && machine.failed;
        let class = if failed { "on bad" } else { "on" };
        let end = match (&machine.end, is_last) {
            (Some(end), true) => format!("; {end}"),
            _ => String::new(),
        };
        span(
            html,
            class,
            &scale.place(*power_on, off),
            format_args!("on from {} to {}{end}", seconds(*power_on), seconds(off)),
        );
        let phases = [
            (
                Some(*power_on),
                *agent,
                if *restored {
                    "restored: to the agent's hello"
                } else {
                    "boot: to the agent's hello"
                },
            ),
            (*agent, *up, "boot: to the first command"),
        ];
        for (phase, (from, to, what)) in phases.into_iter().enumerate() {
            // A machine that never came so far was under way until it was off.
            let to = to.unwrap_or(off);
            if let Some(from) = from {
                let class = if phase == 0 { "boot" } else { "boot late" };
                span(
                    html,
                    class,
                    &scale.place(from, to),
                    format_args!("{what}: {}", seconds(to - from)),
                );
            }
        }
    }
}

fn span(html: &mut Html, class: &str, place: &str, title: impl Display) {
    html.open_with(
        "i",
        &[("class", &class), ("style", &place), ("title", &title)],
    )
    .close("i");
}

fn steps(html: &mut Html, mut steps: Vec<&Step>, scale: Scale) {
    let all = steps.len();
    steps.sort_by(|one, other| other.duration.total_cmp(&one.duration));
    steps.truncate(MOST);
    // Those inside others are drawn over them.
    steps.sort_by_key(|step| step.id);
    let depths = depths(&steps);
    for step in &steps {
        let mut class = kind_of(step).class().to_owned();
        if !step.passed {
            class += " bad";
        }
        if depths.get(&step.id).is_some_and(|depth| *depth > 0) {
            class += " inner";
        }
        let title = step.message.lines().next().unwrap_or_default();
        bar(html, &class, step, scale, title, "");
    }
    if let Some(more @ 1..) = all.checked_sub(MOST) {
        html.element("span", "note", format_args!("and {more} shorter ones"));
    }
}

/// How many of these steps are around each.
fn depths(steps: &[&Step]) -> HashMap<u64, usize> {
    let mut depths = HashMap::new();
    for step in steps {
        let around = step.parent.and_then(|parent| depths.get(&parent));
        let depth = around.map_or(0, |depth| depth + 1);
        depths.insert(step.id, depth);
    }
    depths
}

fn bar(html: &mut Html, class: &str, step: &Step, scale: Scale, title: &str, text: &str) {
    let title = format!(
        "{title}: {} from {}",
        seconds(step.duration),
        seconds(step.start)
    );
    html.open_with(
        "a",
        &[
            ("class", &class),
            ("style", &scale.place(step.start, step.end())),
            ("title", &title),
            ("href", &format_args!("#step{}", step.id)),
        ],
    );
    html.text(text).close("a");
}
