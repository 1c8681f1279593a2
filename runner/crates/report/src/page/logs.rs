//! Consoles and journals, merged and searchable by the page's program.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::html::{Html, link};
use super::section;
use crate::log::{Kept, LogLine, Logs, Source};
use crate::model::Report;

/// Most lines in the page, of all machines.
const MOST: usize = 15_000;

pub(super) fn render(html: &mut Html, report: &Report, logs: &Logs) {
    if logs.iter().next().is_none() {
        return;
    }
    section(html, "logs", "Consoles and journals");
    html.raw(
        "<noscript><p class=\"note\">The logs lie beside this page: see the table of machines. To search in them here, the \
         browser has to run this page's script.</p></noscript>",
    );
    html.raw(
        "<form class=\"filter\" hidden><input type=\"search\" name=\"text\" placeholder=\"search\" aria-label=\"search\">\
         <select name=\"machine\" aria-label=\"machine\"></select>\
         <select name=\"source\" aria-label=\"source\"></select>\
         <select name=\"unit\" aria-label=\"unit\"></select>\
         <select name=\"priority\" aria-label=\"priority\"></select>\
         <output></output></form><div class=\"log\" tabindex=\"0\" aria-label=\"log lines\"></div>",
    );
    html.raw("<script type=\"application/json\" id=\"lines\">");
    html.raw(&data(report, logs)).raw("</script></section>");
}

/// The lines as JSON in which nothing can end the element that it stands in.
fn data(report: &Report, logs: &Logs) -> String {
    let most = MOST / logs.iter().count().max(1);
    let mut units = Names::default();
    let mut machines = Names::default();
    let mut lines: Vec<(f64, Value)> = Vec::new();
    for (machine, source, kept) in logs.iter() {
        let file = report
            .machines
            .get(machine)
            .and_then(|report| match source {
                Source::Console => report.console_log.as_deref(),
                Source::Journal => report.journal_log.as_deref(),
            });
        let machine = machines.index(machine);
        let source = match source {
            Source::Console => 0,
            Source::Journal => 1,
        };
        let Bounded {
            first,
            left_out,
            last,
        } = bounded(kept, most);
        let mut push = |line: &LogLine| {
            let unit = line.unit.as_deref().map(|unit| units.index(unit));
            let time = (line.time * 1000.0).round() / 1000.0;
            let value = json!([time, machine, source, unit, line.priority, line.text]);
            lines.push((line.time, value));
        };
        first.iter().copied().for_each(&mut push);
        last.iter().copied().for_each(&mut push);
        if left_out > 0 {
            let time = last.first().map_or(0.0, |line| line.time);
            let text = format!("({left_out} lines left out)");
            let file = file.map(link);
            // Sorting keeps it behind what came at the same time.
            lines.push((
                time.next_down(),
                json!([
                    time,
                    machine,
                    source,
                    null,
                    null,
                    text,
                    file.unwrap_or_default()
                ]),
            ));
        }
    }
    lines.sort_by(|one, other| one.0.total_cmp(&other.0));
    let lines: Vec<Value> = lines.into_iter().map(|(_, line)| line).collect();
    let data = json!({ "machines": machines.0, "units": units.0, "lines": lines });
    data.to_string().replace('<', "\\u003c")
}

#[derive(Default)]
struct Names(Vec<String>, BTreeMap<String, usize>);

impl Names {
    fn index(&mut self, name: &str) -> usize {
        if let Some(index) = self.1.get(name) {
            return *index;
        }
        self.0.push(name.to_owned());
        self.1.insert(name.to_owned(), self.0.len() - 1);
        self.0.len() - 1
    }
}

struct Bounded<'a> {
    first: Vec<&'a LogLine>,
    left_out: usize,
    last: Vec<&'a LogLine>,
}

/// No more lines than these: a fifth of the beginning, the rest of the end.
fn bounded(kept: &Kept, most: usize) -> Bounded<'_> {
    let mut first: Vec<&LogLine> = kept.first.iter().collect();
    let mut last: Vec<&LogLine> = kept.last.iter().collect();
    let mut left_out = kept.left_out;
    let excess = (first.len() + last.len()).saturating_sub(most);
    if excess > 0 {
        let begin = first.len().min(most / 5);
        last = first.split_off(begin).into_iter().chain(last).collect();
        last.drain(..excess);
        left_out += excess;
    }
    Bounded {
        first,
        left_out,
        last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(lines: usize) -> Logs {
        let mut logs = Logs::default();
        for number in 0..lines {
            let line = LogLine {
                time: f64::from(u32::try_from(number).expect("few")),
                unit: None,
                priority: None,
                text: format!("</script>{number}"),
            };
            logs.push("m", Source::Console, line);
        }
        logs
    }

    #[test]
    fn no_line_ends_the_data() {
        let data = data(&Report::new("t", ["m"]), &logs(1));
        assert!(!data.contains('<'));
        let value: Value = serde_json::from_str(&data).expect("JSON");
        assert_eq!(value["lines"][0][5], "</script>0");
    }

    #[test]
    fn the_end_has_most_of_the_room() {
        let logs = logs(100);
        let (_, _, kept) = logs.iter().next().expect("one");
        let Bounded {
            first,
            left_out,
            last,
        } = bounded(kept, 50);
        assert_eq!((first.len(), left_out, last.len()), (10, 50, 40));
        assert_eq!(last[0].text, "</script>60");
    }
}
