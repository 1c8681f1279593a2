//! Durations as scripts give them: a number of seconds, a `datetime.timedelta`, or `None` for no limit.

use std::time::Duration;

use rustpython_vm::{AsObject, PyObjectRef, PyResult, VirtualMachine};

use crate::arguments::text;

/// A limit in time, and how the script wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Timeout {
    /// The limit; `None`: none.
    pub(crate) limit: Option<Duration>,
    shown: String,
}

impl Timeout {
    /// No time at all.
    pub(crate) fn none_at_all() -> Self {
        Self {
            limit: Some(Duration::ZERO),
            shown: "0".to_owned(),
        }
    }

    /// What is left of it after so long; it is still shown as the script wrote it.
    pub(crate) fn after(&self, elapsed: Duration) -> Self {
        Self {
            limit: self.limit.map(|limit| limit.saturating_sub(elapsed)),
            shown: self.shown.clone(),
        }
    }

    /// Reads what a script gave. A negative duration is over at once; one beyond all bounds is no limit.
    pub(crate) fn from_object(object: &PyObjectRef, vm: &VirtualMachine) -> PyResult<Self> {
        let shown = text(object, vm)?;
        if vm.is_none(object) {
            return Ok(Self { limit: None, shown });
        }
        let types = &vm.ctx.types;
        let seconds = if object.fast_isinstance(types.bool_type) {
            return Err(vm.new_type_error(format!("expected a duration, got bool: {shown}")));
        } else if object.fast_isinstance(types.int_type) || object.fast_isinstance(types.float_type)
        {
            object.try_float(vm)?.to_f64()
        } else if let Some(total) = vm.get_attribute_opt(object.clone(), "total_seconds")? {
            total.call((), vm)?.try_float(vm)?.to_f64()
        } else {
            return Err(vm.new_type_error(format!(
                "expected a timedelta, int, or float duration, got {}",
                object.class().name()
            )));
        };
        if seconds.is_nan() {
            return Err(vm.new_value_error("expected a duration, got not a number"));
        }
        Ok(Self {
            limit: Duration::try_from_secs_f64(seconds.max(0.0)).ok(),
            shown,
        })
    }
}

impl std::fmt::Display for Timeout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}
