//! Keeps panics from reaching Nix, where they would end the whole process.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use anyhow::Result;

thread_local! {
    static PLACE: RefCell<Place> = const { RefCell::new(Place::OutsideFence) };
}

/// Where the last panic of this thread happened.
enum Place {
    OutsideFence,
    Unknown,
    Known(String),
}

/// Runs `action`; an error or a panic in it becomes the text of a Nix error.
///
/// # Errors
/// When `action` fails or panics.
pub(crate) fn run<T>(action: impl FnOnce() -> Result<T>) -> Result<T, String> {
    note_places_of_panics();
    let outer = PLACE.replace(Place::Unknown);
    // Whatever the action leaves half done is dropped with it: nothing is shared with later calls.
    let outcome = panic::catch_unwind(AssertUnwindSafe(action));
    let place = PLACE.replace(outer);
    match outcome {
        Ok(outcome) => outcome.map_err(|error| format!("{error:#}")),
        Err(payload) => {
            let place = match place {
                Place::Known(place) => place,
                Place::Unknown | Place::OutsideFence => "place unknown".to_owned(),
            };
            Err(format!(
                "panic in nix-vmtest, please report it: {} ({place})",
                text_of(payload.as_ref())
            ))
        }
    }
}

/// A panic inside the fence tells its place in the error, not on stderr.
fn note_places_of_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if PLACE.with_borrow(|place| matches!(place, Place::OutsideFence)) {
                previous(panic);
            } else if let Some(location) = panic.location() {
                PLACE.set(Place::Known(location.to_string()));
            }
        }));
    });
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "no message"
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::run;

    #[test]
    fn value_passes() {
        assert_eq!(run(|| Ok(3)), Ok(3));
    }

    #[test]
    fn error_has_its_causes() {
        let outcome = run(|| Err::<(), _>(anyhow!("cause")).context("effect"));
        assert_eq!(outcome, Err("effect: cause".to_owned()));
    }

    #[test]
    fn panic_becomes_an_error_with_its_place() {
        let index = std::hint::black_box(7);
        let line = line!() + 1;
        let error = run(|| Ok([1, 2, 3][index])).expect_err("index is out of bounds");
        assert!(error.contains("index is 7"), "{error}");
        assert!(error.contains(&format!("fence.rs:{line}:")), "{error}");
    }

    #[test]
    fn panic_with_formatted_text_keeps_it() {
        let error = run::<()>(|| panic!("number {}", 5)).expect_err("it panics");
        assert!(error.contains("please report it: number 5 ("), "{error}");
    }

    #[test]
    fn later_calls_are_not_disturbed() {
        let _ = run::<()>(|| panic!("first"));
        assert_eq!(run(|| Ok("second")), Ok("second"));
    }
}
