//! Which form makes an older one of the same unit void.
//!
//! **Invariant**: nothing that the older one told is lost with it. Words of a person are never taken for told again, nor a
//! value that the newer one does not know.

use super::Form;
use super::schema::Field;
use super::value::{Value, Values};

impl Form {
    /// Whether an older one of the same unit, still waiting to be sent, need not be sent any more because of this one.
    #[must_use]
    pub fn replaces(&self, older: &Self) -> bool {
        let Some(fields) = self.schema.replaces.as_ref().filter(|_| older.schema.name == self.schema.name) else {
            return false;
        };
        // "As in the last report" needs that report.
        let needs_it = self.values.values().any(|value| *value == Value::Same);
        let about_the_same = |name: &String| match self.get(name) {
            // Rows are compared one by one.
            Some(Value::Rows(_)) => true,
            own => own == older.get(name),
        };
        older.note.is_empty()
            && !needs_it
            && fields.iter().all(about_the_same)
            && older.values.iter().all(|(name, old)| self.tells_again(name, old))
    }

    /// Whether a value that the older one knew is known here too; of rows each one.
    fn tells_again(&self, name: &str, old: &Value) -> bool {
        match (self.get(name), old) {
            (Some(Value::Rows(new)), Value::Rows(old)) => {
                let first = self.schema.field(name).and_then(|field| field.row_fields().first());
                first.is_some_and(|first| old.iter().all(|old| row_tells_again(first, new, old)))
            }
            (new, _) => new.is_some(),
        }
    }
}

/// Whether the row about the same thing, which its first field names, knows all that the older row knew.
fn row_tells_again(first: &Field, new: &[Values], old: &Values) -> bool {
    let same = new.iter().find(|new| new.get(first.name.as_str()) == old.get(first.name.as_str()));
    same.is_some_and(|new| old.keys().all(|name| new.contains_key(name)))
}

#[cfg(test)]
mod tests {
    use super::super::{Area, read_line};

    fn replaces(newer: &str, older: &str) -> bool {
        let form = |line: &str| read_line(line, &Area::default()).unwrap_or_else(|q| panic!("{line}: {}", q.text));
        form(newer).replaces(&form(older))
    }

    #[test]
    fn a_report_of_the_same_event_replaces_the_one_before() {
        assert!(replaces("#1 续报 滑坡 死3 失2", "#1 首报 滑坡 死1"));
        assert!(replaces("#1 续报 滑坡 死3增1 失2", "#1 续报 滑坡 死2 失2"));
        assert!(!replaces("#1 续报 山洪 死3 失2", "#1 首报 滑坡 死1"), "another event");
        assert!(!replaces("#1 续报 滑坡 地12 死3", "#1 首报 滑坡 地11 死1"), "another place");
    }

    #[test]
    fn nothing_that_only_the_older_one_told_is_lost() {
        assert!(!replaces("#1 续报 滑坡 死3", "#1 首报 滑坡 死1 失2"), "the missing are not known any more");
        assert!(!replaces("#1 续报 滑坡 死3 失2", "#1 首报 滑坡 死1 说青龙村后山"), "words of a person");
        assert!(!replaces("#1 续报 滑坡 死3 失同", "#1 续报 滑坡 死1 失2"), "the same as in which report?");
    }

    #[test]
    fn a_headcount_replaces_one_of_no_other_sites() {
        assert!(replaces("#3 点1应350到350 点2应60到60", "#3 点1应350到349"));
        assert!(!replaces("#3 点2应60到60", "#3 点1应350到349 点2应60到58"), "site 1 is not in it");
        assert!(!replaces("#3 点1应350", "#3 点1应350到349"), "how many have moved is not in it");
    }

    #[test]
    fn a_state_replaces_the_one_before_and_what_stands_for_itself_nothing() {
        assert!(replaces("#9 受阻 共12", "#9 正常 共12"));
        assert!(!replaces("#9 受阻 共12", "#1 首报 滑坡 死1"));
        assert!(!replaces("#8 帐篷200", "#8 帐篷100"), "both are needed");
        assert!(!replaces("#2 水困 共3", "#2 水困 共3"), "a call for help");
    }
}
