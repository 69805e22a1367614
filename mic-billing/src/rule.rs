//! The rules by id. Each has a section in `spec/pricing.md`, a vector and code; a test holds the
//! three together.

use core::fmt;

use serde::{Deserialize, Serialize};

macro_rules! rules {
    ($($name:ident = $id:literal, $text:literal;)*) => {
        /// A rule of `spec/pricing.md`.
        ///
        /// ```
        /// use mic_billing::RuleId;
        ///
        /// assert_eq!(RuleId::C04.to_string(), "C-04");
        /// assert_eq!(RuleId::ALL.iter().find(|rule| rule.id() == "C-04"), Some(&RuleId::C04));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum RuleId {
            $(#[doc = $text] #[serde(rename = $id)] $name,)*
        }

        impl RuleId {
            /// Every rule this version carries out.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The id as the specification writes it.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }
        }
    };
}

rules! {
    B01 = "B-01", "The price of one unit is a fact of the book.";
    B02 = "B-02", "Storage and transfer are bought together, by contract.";
    B04 = "B-04", "No money comes from or goes to a treasury.";
    B05 = "B-05", "Embedded in the exam price: deducted where the service was not given.";
    B06 = "B-06", "Separate item: one positive line per unit.";
    B07 = "B-07", "Paid by the fund: nothing on the patient's side.";
    B08 = "B-08", "Who pays and who receives.";
    B09 = "B-09", "Film beside the exam only as the region allows.";
    B10 = "B-10", "Further positions of one examination, fewer and cheaper.";
    B11 = "B-11", "Plain X-ray imaging is capped.";
    V01 = "V-01", "One visit is one insurance encounter.";
    V02 = "V-02", "Several exams in one unit give one charge.";
    V03 = "V-03", "Other counting units a region may choose.";
    V04 = "V-04", "The deduction may count differently from the charge.";
    V05 = "V-05", "Only listed kinds of exam are covered.";
    V06 = "V-06", "The visit date is the earliest live exam's.";
    V07 = "V-07", "Linked encounters are one visit; the stay survives.";
    V08 = "V-08", "A stay over the end of a month is one visit.";
    V09 = "V-09", "Two hospitals are two visits.";
    C01 = "C-01", "What proves that the service was provided.";
    C02 = "C-02", "When a unit of several exams is provided.";
    C03 = "C-03", "Within the grace nothing is posted.";
    C04 = "C-04", "Grace over and still missing.";
    C05 = "C-05", "Late proof counts only within the late cure.";
    C06 = "C-06", "The same message again changes nothing.";
    C07 = "C-07", "A re-scan under the same exam line is no new charge.";
    C08 = "C-08", "An exam cancelled before it was performed is not live.";
    C09 = "C-09", "A refund mirrors the original line.";
    C10 = "C-10", "Back-filled history is kept and never charged.";
    C11 = "C-11", "Viewing elsewhere is no event and posts nothing.";
    C12 = "C-12", "Self-paying patients: the same price, nothing from the fund.";
    S01 = "S-01", "Fund and patient by the book's ratio.";
    S02 = "S-02", "Payees by the book's shares, a million parts in all.";
    S03 = "S-03", "What the tariff is above the contract's price.";
    S04 = "S-04", "The transfer as a share of each visit, or as a pool.";
    S06 = "S-06", "Largest remainder, ties by party.";
    S07 = "S-07", "Amounts in fen, unit prices in micro-yuan.";
    S08 = "S-08", "Rounded once.";
    T01 = "T-01", "A version holds for days and is known from a moment.";
    T02 = "T-02", "The version of the visit date, the last one known.";
    T03 = "T-03", "A change of policy corrects by new entries.";
    T04 = "T-04", "Lower layers override upper ones, but never shorten retention.";
    T05 = "T-05", "Every verified fact cites its document.";
    T06 = "T-06", "No overlap and no gap.";
    T07 = "T-07", "An ended contract doesn't end the tariff.";
    K01 = "K-01", "Clinic 15 years, stay 30 years.";
    K02 = "K-02", "The clock starts at the last visit or the last discharge.";
    K04 = "K-04", "The longest duty holds; nothing lowers it.";
    K05 = "K-05", "The corresponding day, 29 February to 1 March; disposable the day after.";
    K06 = "K-06", "Years are added by the calendar.";
    K07 = "K-07", "A legal hold blocks disposal.";
    K08 = "K-08", "Disposal needs every clock over, no hold and a signed list.";
    K09 = "K-09", "When the vendor changes, the duty goes on, visit by visit.";
    M01 = "M-01", "A statement is of one institution and one month.";
    M04 = "M-04", "Statements of shards merge in any order to the same bytes.";
    M05 = "M-05", "A closed statement is sealed and never changes.";
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
