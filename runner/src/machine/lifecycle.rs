//! Where a machine stands and what moves it, pure.
//!
//! ```text
//!         launched            guest is up
//!  Off ────────────▶ Booting ───────────────▶ Ready
//!   ▲                 │  ▲    guest resets, or   │ │ agent closes its port
//!   │                 │  ├─ its agent says hello ┘ ▼
//!   │                 │  └──────────────────────  Lost
//!   │ QEMU exits      ▼                            │
//!   └────────────── Ending ◀───────────────────────┘ (and from Ready)
//!                     guest powers off, resets where it may not, panics; QEMU breaks; the test kills it
//! ```
//!
//! A guest that is about to power off or to reset is `Lost` for a moment, and one that boots another kernel (kexec) is
//! so until that kernel's agent says hello: QEMU knows nothing of it.
//!
//! Failure paths: QEMU that exits while `Booting` or `Ready` has [died](End::Died). A panic is remembered when the
//! console shows it, so that the exit which follows is not taken for a reboot. A guest that may reboot survives its
//! panic, as it would on real hardware with `panic=` set.

/// Where a machine stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// QEMU does not run; it ended so, if it ever ran.
    Off(Option<End>),
    /// QEMU runs, and the guest was not up since power-on or the last reset.
    Booting {
        /// Whether QEMU survives a reset.
        allow_reboot: bool,
    },
    /// The guest is up, and its agent takes requests.
    Ready {
        /// Whether QEMU survives a reset.
        allow_reboot: bool,
    },
    /// The guest was up, and its agent is gone; it is not known yet what becomes of it.
    Lost {
        /// Whether QEMU survives a reset.
        allow_reboot: bool,
    },
    /// QEMU still runs and will end so.
    Ending(End),
}

/// How a run of QEMU ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The guest powered off.
    PoweredOff,
    /// The guest reset, and QEMU was not allowed to survive it.
    Reset,
    /// The test asked for it.
    Killed,
    /// The test went back to a snapshot of the machine.
    Discarded,
    /// The guest's kernel panicked; with its own words.
    Panicked(String),
    /// QEMU ended by itself; with what is known of it.
    Died(String),
    /// QEMU could not go on with the guest; with the reason.
    Broken(String),
}

impl End {
    /// Whether somebody wanted it, the test or the guest: such a machine may be started again.
    #[must_use]
    pub fn is_orderly(&self) -> bool {
        match self {
            Self::PoweredOff | Self::Reset | Self::Killed | Self::Discarded => true,
            Self::Panicked(_) | Self::Died(_) | Self::Broken(_) => false,
        }
    }
}

/// What happens to a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// QEMU was started.
    Launched {
        /// Whether it survives a reset.
        allow_reboot: bool,
    },
    /// The agent said hello, for the first time or anew.
    Hello,
    /// The agent said that the guest is up.
    Booted,
    /// The guest was reset, and QEMU goes on (QMP `RESET`).
    Reset,
    /// QEMU is about to end because the guest powered off (QMP `SHUTDOWN`).
    PowerOff,
    /// QEMU is about to end because the guest was reset (QMP `SHUTDOWN`).
    LastReset,
    /// The console shows a kernel panic; with the line.
    Panic(String),
    /// The guest was asked to reboot: its agent is not to be spoken to until it says hello again.
    Rebooting,
    /// The agent has closed its port (QMP `VSERPORT_CHANGE`).
    AgentGone,
    /// QEMU cannot go on with the guest; with the reason.
    Broken(String),
    /// The test ends the machine.
    Kill,
    /// The test ends the machine to go back to a snapshot of it.
    Discard,
    /// QEMU has ended; with its exit status in words.
    Exited(String),
}

impl State {
    /// Whether QEMU runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !matches!(self, Self::Off(_))
    }

    /// Whether QEMU survives a reset, if it runs.
    #[must_use]
    pub fn allow_reboot(&self) -> bool {
        match self {
            Self::Booting { allow_reboot }
            | Self::Ready { allow_reboot }
            | Self::Lost { allow_reboot } => *allow_reboot,
            Self::Off(_) | Self::Ending(_) => false,
        }
    }

    /// Whether QEMU is about to end. How it will have ended is not certain yet: a panic may be read after the reset
    /// that it causes.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        matches!(self, Self::Ending(_))
    }

    /// How the machine ended, as far as that is known.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        match self {
            Self::Off(end) => end.as_ref(),
            Self::Ending(end) => Some(end),
            Self::Booting { .. } | Self::Ready { .. } | Self::Lost { .. } => None,
        }
    }

    /// Whether it is known what can be expected of the machine: it is up, or off. Another state passes by itself, or the
    /// machine is stuck.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Ready { .. } | Self::Off(_))
    }

    /// Where the machine stands after `event`.
    #[must_use]
    pub fn after(self, event: Event) -> Self {
        use State::{Booting, Ending, Lost, Off, Ready};
        match (self, event) {
            (Off(_), Event::Launched { allow_reboot }) => Booting { allow_reboot },
            // A machine that failed and was then given up on purpose has ended in an orderly way.
            (Off(Some(_)), Event::Kill) => Off(Some(End::Killed)),
            (Ending(_), Event::Kill) => Ending(End::Killed),
            (Off(Some(_)), Event::Discard) => Off(Some(End::Discarded)),
            (Ending(_) | Booting { .. } | Ready { .. } | Lost { .. }, Event::Discard) => {
                Ending(End::Discarded)
            }
            (Booting { allow_reboot }, Event::Booted) => Ready { allow_reboot },
            (
                Booting { allow_reboot } | Ready { allow_reboot } | Lost { allow_reboot },
                Event::Reset | Event::Rebooting | Event::Hello,
            ) => Booting { allow_reboot },
            // One that is booting loses and finds its agent on the way, or says so by a reset.
            (Ready { allow_reboot }, Event::AgentGone) => Lost { allow_reboot },
            // A guest that cannot be booted powers off, and QEMU's word on that may be read first.
            (
                Booting { .. } | Ready { .. } | Lost { .. } | Ending(End::PoweredOff),
                Event::Broken(reason),
            ) => Ending(End::Broken(reason)),
            (Booting { .. } | Ready { .. } | Lost { .. }, Event::PowerOff) => {
                Ending(End::PoweredOff)
            }
            (Booting { .. } | Ready { .. } | Lost { .. }, Event::LastReset) => Ending(End::Reset),
            // The console may be read later than QEMU's own word on the reset that a panic causes.
            (
                Booting {
                    allow_reboot: false,
                }
                | Ready {
                    allow_reboot: false,
                }
                | Lost {
                    allow_reboot: false,
                },
                Event::Panic(line),
            )
            | (Ending(End::Reset), Event::Panic(line)) => Ending(End::Panicked(line)),
            (Booting { .. } | Ready { .. } | Lost { .. }, Event::Kill) => Ending(End::Killed),
            (Booting { .. } | Ready { .. } | Lost { .. }, Event::Exited(status)) => {
                Off(Some(End::Died(status)))
            }
            (Ending(end), Event::Exited(_)) => Off(Some(end)),
            (state @ (Off(_) | Ending(_)), _)
            | (state @ (Ready { .. } | Lost { .. }), Event::Booted)
            | (state @ (Booting { .. } | Lost { .. }), Event::AgentGone)
            | (
                state @ (Booting { .. } | Ready { .. } | Lost { .. }),
                Event::Launched { .. } | Event::Panic(_),
            ) => state,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn follow(events: &[Event]) -> State {
        events.iter().cloned().fold(State::Off(None), State::after)
    }

    const LAUNCH: Event = Event::Launched {
        allow_reboot: false,
    };
    const LAUNCH_FOR_REBOOT: Event = Event::Launched { allow_reboot: true };

    fn exit() -> Event {
        Event::Exited("exit status: 0".into())
    }

    fn panic() -> Event {
        Event::Panic("Kernel panic - not syncing: x".into())
    }

    /// The stories that users know, and how they end.
    #[test]
    fn stories() {
        let off = |end| State::Off(Some(end));
        let panicked = || End::Panicked("Kernel panic - not syncing: x".into());
        let table: Vec<(&str, Vec<Event>, State)> = vec![
            (
                "boots",
                vec![LAUNCH, Event::Booted],
                State::Ready {
                    allow_reboot: false,
                },
            ),
            (
                "powers off",
                vec![LAUNCH, Event::Booted, Event::PowerOff, exit()],
                off(End::PoweredOff),
            ),
            (
                "is reset",
                vec![LAUNCH, Event::Booted, Event::LastReset, exit()],
                off(End::Reset),
            ),
            (
                "reboots",
                vec![
                    LAUNCH_FOR_REBOOT,
                    Event::Booted,
                    Event::Reset,
                    Event::Booted,
                ],
                State::Ready { allow_reboot: true },
            ),
            (
                "boots another kernel",
                vec![
                    LAUNCH,
                    Event::Booted,
                    Event::AgentGone,
                    Event::Hello,
                    Event::Booted,
                ],
                State::Ready {
                    allow_reboot: false,
                },
            ),
            (
                "goes down",
                vec![LAUNCH, Event::Booted, Event::AgentGone],
                State::Lost {
                    allow_reboot: false,
                },
            ),
            (
                "goes down and reboots",
                vec![
                    LAUNCH_FOR_REBOOT,
                    Event::Booted,
                    Event::AgentGone,
                    Event::Reset,
                ],
                State::Booting { allow_reboot: true },
            ),
            (
                "goes down and is off",
                vec![
                    LAUNCH,
                    Event::Booted,
                    Event::AgentGone,
                    Event::PowerOff,
                    exit(),
                ],
                off(End::PoweredOff),
            ),
            (
                "crashes",
                vec![LAUNCH, Event::Booted, Event::Kill, exit()],
                off(End::Killed),
            ),
            (
                "panics",
                vec![LAUNCH, panic(), Event::LastReset, exit()],
                off(panicked()),
            ),
            (
                "panics, seen late",
                vec![LAUNCH, Event::LastReset, panic(), exit()],
                off(panicked()),
            ),
            (
                "panics and reboots",
                vec![LAUNCH_FOR_REBOOT, panic(), Event::Reset],
                State::Booting { allow_reboot: true },
            ),
            (
                "dies",
                vec![LAUNCH, Event::Booted, exit()],
                off(End::Died("exit status: 0".into())),
            ),
            (
                "panics, is given up",
                vec![LAUNCH, panic(), Event::Kill, exit()],
                off(End::Killed),
            ),
            (
                "dies, is given up",
                vec![LAUNCH, exit(), Event::Kill],
                off(End::Killed),
            ),
            (
                "is broken",
                vec![LAUNCH, Event::Broken("b".into()), exit()],
                off(End::Broken("b".into())),
            ),
            (
                "is broken, seen late",
                vec![LAUNCH, Event::PowerOff, Event::Broken("b".into()), exit()],
                off(End::Broken("b".into())),
            ),
            (
                "is broken, is given up",
                vec![LAUNCH, Event::Broken("b".into()), Event::Kill, exit()],
                off(End::Killed),
            ),
            (
                "goes back to a snapshot",
                vec![LAUNCH, Event::Booted, Event::Discard, exit(), LAUNCH],
                State::Booting {
                    allow_reboot: false,
                },
            ),
            (
                "panics, and goes back to a snapshot",
                vec![LAUNCH, panic(), exit(), Event::Discard],
                off(End::Discarded),
            ),
            (
                "comes back",
                vec![LAUNCH, Event::PowerOff, exit(), LAUNCH],
                State::Booting {
                    allow_reboot: false,
                },
            ),
        ];
        for (story, events, end) in table {
            assert_eq!(follow(&events), end, "{story}");
        }
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            any::<bool>().prop_map(|allow_reboot| Event::Launched { allow_reboot }),
            Just(Event::Hello),
            Just(Event::Booted),
            Just(Event::Reset),
            Just(Event::PowerOff),
            Just(Event::LastReset),
            Just(panic()),
            Just(Event::Kill),
            Just(Event::Discard),
            Just(Event::Rebooting),
            Just(Event::AgentGone),
            Just(Event::Broken("internal error".into())),
            Just(exit()),
        ]
    }

    proptest! {
        #[test]
        fn whatever_happens(events in vec(event(), 0..30)) {
            let mut state = State::Off(None);
            for event in events {
                let before = state.clone();
                state = state.after(event.clone());
                // Only an exit ends a run, only a launch begins one.
                match (before.is_running(), state.is_running()) {
                    (true, false) => prop_assert_eq!(&event, &exit()),
                    (false, true) => {
                        let launched = matches!(&event, Event::Launched { .. });
                        prop_assert!(launched);
                    }
                    _ => {}
                }
                // An exit ends every run, and whatever has run has an end.
                if event == exit() {
                    prop_assert!(!state.is_running());
                    prop_assert!(!before.is_running() || state.end().is_some());
                }
                // Nothing is ready that did not say so.
                if matches!(state, State::Ready { .. }) && !matches!(before, State::Ready { .. }) {
                    prop_assert_eq!(event, Event::Booted);
                }
            }
        }
    }
}
