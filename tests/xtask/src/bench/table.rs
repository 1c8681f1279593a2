//! The table: a line a figure.

use super::document::Document;
use super::measurement::{Elsewhere, Measurement, Summary};

const HEAD: [&str; 6] = ["test", "figure", "median", "min – max", "unit", "upstream*"];

/// Columns of numbers are set to the right.
const RIGHT: [bool; 6] = [false, false, true, true, false, true];

pub(crate) fn table(document: &Document) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(document.measurements.iter().map(row));
    rows.extend(document.ratios.iter().map(|ratio| {
        let test = format!("{} : {}", ratio.of, ratio.to);
        cells(test, &ratio.name, ratio.summary, "times", String::new())
    }));
    let about = &document.about;
    let mut text = format!(
        "{}; {} processors ({}), {} MiB; {}\n\n",
        about.acceleration,
        about.processors,
        about.processor,
        about.memory_mib,
        if about.repeat == 1 {
            "one round".to_owned()
        } else {
            format!("{} rounds", about.repeat)
        }
    );
    text.push_str(&laid_out(&rows));
    text.push_str(
        "\nA test's figures are taken by `nix build --file tests/bench/tests.nix TEST`; the JSON has the command of each.\n\
         *: the NixOS test driver in Python, same image and same kind of machine, by emulation: measured elsewhere, not in this run.\n",
    );
    text
}

fn row(measurement: &Measurement) -> [String; 6] {
    let upstream = measurement.upstream.as_ref();
    cells(
        measurement.test.clone(),
        &measurement.name,
        measurement.summary,
        measurement.unit.symbol(),
        upstream.map_or_else(String::new, elsewhere),
    )
}

fn cells(test: String, name: &str, summary: Summary, unit: &str, upstream: String) -> [String; 6] {
    let Summary { median, min, max } = summary;
    // Of a single sample there is no more to say.
    #[expect(clippy::float_cmp, reason = "they are the same number")]
    let range = if min == max {
        String::new()
    } else {
        format!("{} – {}", number(min), number(max))
    };
    let (name, unit) = (name.to_owned(), unit.to_owned());
    [test, name, number(median), range, unit, upstream]
}

fn elsewhere(Elsewhere { low, high }: &Elsewhere) -> String {
    #[expect(clippy::float_cmp, reason = "they are written in the source")]
    if low == high {
        number(*low)
    } else {
        format!("{} – {}", number(*low), number(*high))
    }
}

/// Three digits that count, as far as there are no more before the point.
pub(super) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

fn laid_out(rows: &[[String; 6]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        text.push_str(&line(row, &widths));
        if number == 0 {
            let rule: usize = widths.iter().sum::<usize>() + 2 * (widths.len() - 1);
            text.push_str(&"─".repeat(rule));
            text.push('\n');
        }
    }
    text
}

fn line(row: &[String; 6], widths: &[usize; 6]) -> String {
    let cells = row.iter().zip(widths).zip(RIGHT);
    let cells = cells.map(|((cell, width), right)| match right {
        true => format!("{cell:>width$}"),
        false => format!("{cell:<width$}"),
    });
    let line = cells.collect::<Vec<_>>().join("  ");
    format!("{}\n", line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::super::document::tests::document;
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let table = [
            (0.0123, "0.01"),
            (1.234, "1.23"),
            (9.999, "10.0"),
            (12.34, "12.3"),
            (99.96, "100"),
            (1234.5, "1234"),
        ];
        for (value, expected) in table {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn a_line_a_figure() {
        let text = table(&document());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            &lines[..5],
            [
                "QEMU by emulation (TCG); 2 processors (A & B), 24105 MiB; 3 rounds",
                "",
                "test                                       figure                           median    min – max  unit   upstream*",
                &"─".repeat(113),
                "trivial                                    total                              12.5  12.0 – 15.0  s           25.8",
            ]
        );
        assert_eq!(
            lines[13],
            "trivial : restored                         total                              6.00  5.00 – 10.0  times"
        );
        assert!(text.contains("520 – 640"));
        assert!(text.contains("not in this run"));
    }
}
