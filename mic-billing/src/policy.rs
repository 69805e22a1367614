//! The vocabulary of policy: the choices a region makes. None of them is a constant of the engine.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::event::named;

named!(
    /// What the price of cloud imaging is in law: the sign of the five yuan. A region without one
    /// doesn't load; there is no default.
    ///
    /// ```
    /// assert_eq!(mic_billing::ChargeModel::EmbeddedDeduction.name(), "embedded_deduction");
    /// ```
    ChargeModel {
        /// The service is inside each exam's price; a deduction is made where it was not given (B-05).
        EmbeddedDeduction = "embedded_deduction", "内含于检查价格、未提供则减收", "embedded in the exam price, deducted when not provided";
        /// One positive line per counted unit (B-06).
        SeparateItem = "separate_item", "单独收费项目", "separate item";
        /// No line for the patient; the fund pays per counted unit (B-07).
        FundDirect = "fund_direct", "医保基金直接支付", "paid by the fund";
    }
);

named!(
    /// What is counted once: the 人次, or another unit a region chose (V-01, V-03, V-04).
    ///
    /// ```
    /// assert_eq!(mic_billing::CountingUnit::PersonDay.name(), "person_day");
    /// ```
    CountingUnit {
        /// One insurance encounter, linked ones counted as one.
        Encounter = "encounter", "就诊人次", "encounter";
        /// One person at one institution on one civil day.
        PersonDay = "person_day", "人日", "person-day";
        /// One exam line.
        Exam = "exam", "检查项目", "exam";
        /// One study of an exam line.
        Study = "study", "影像检查", "study";
        /// One kind of exam within an encounter.
        Modality = "modality", "检查类型", "modality";
    }
);

named!(
    /// What proves that the service was provided (C-01).
    ///
    /// ```
    /// assert_eq!(mic_billing::Trigger::Both.name(), "both");
    /// ```
    Trigger {
        /// The platform accepted the index.
        IndexAccepted = "index_accepted", "索引已被接收", "index accepted";
        /// The pixels are stored.
        PixelsStored = "pixels_stored", "影像已存储", "pixels stored";
        /// Both; the later of the two counts.
        Both = "both", "索引已被接收且影像已存储", "index accepted and pixels stored";
    }
);

named!(
    /// When a unit of several exams is provided (C-02). The third way of the price texts, each exam
    /// for itself, is the counting unit `exam`.
    ///
    /// ```
    /// assert_eq!(mic_billing::Completeness::All.name(), "all");
    /// ```
    Completeness {
        /// All its live exams are.
        All = "all", "全部检查均须提供", "all live exams";
        /// One of them is.
        Any = "any", "任一检查提供即可", "any live exam";
    }
);

named!(
    /// Which of an exam's dates dates it (V-06). Where it is not known, the earliest other date of
    /// the exam stands in.
    ///
    /// ```
    /// assert_eq!(mic_billing::DateBasis::FeeOccurred.name(), "fee_occurred");
    /// ```
    DateBasis {
        /// The day the fee arose.
        FeeOccurred = "fee_occurred", "费用发生日", "fee date";
        /// The day it was performed.
        Performed = "performed", "检查日", "date performed";
        /// The day it was reported.
        Reported = "reported", "报告日", "date reported";
    }
);

named!(
    /// The clock of a retention duty (K-02, K-03).
    ///
    /// ```
    /// assert_eq!(mic_billing::Clock::LastVisit.name(), "last_visit");
    /// ```
    Clock {
        /// From the patient's last visit to the institution.
        LastVisit = "last_visit", "最后一次就诊之日", "last visit";
        /// From the patient's last discharge there.
        LastDischarge = "last_discharge", "最后一次出院之日", "last discharge";
    }
);

named!(
    /// What starts the years of retention (K-02): one way so far, so that a book can name the document
    /// behind it and a book of another way is refused.
    ///
    /// ```
    /// assert_eq!(mic_billing::RetentionClock::LastContact.name(), "last_contact");
    /// ```
    RetentionClock {
        /// The last visit, and for a stay the last discharge.
        LastContact = "last_contact", "门（急）诊自最后一次就诊、住院自最后一次出院", "from the last visit, for a stay from the last discharge";
    }
);

named!(
    /// A side of the money. There is no treasury: the loop closes inside the insurance (B-04).
    ///
    /// ```
    /// assert_eq!(mic_billing::Party::Fund.name(), "fund");
    /// ```
    Party {
        /// Whoever pays the exam, where the book doesn't divide fund and patient.
        ExamPayer = "exam_payer", "检查付费方", "payer of the exam";
        /// The insurance fund.
        Fund = "fund", "医保基金", "fund";
        /// The patient.
        Patient = "patient", "患者", "patient";
        /// The hospital.
        Hospital = "hospital", "医院", "hospital";
        /// The operator of the cloud platform.
        Platform = "platform", "平台方", "platform operator";
        /// The operator of the store.
        StorageVendor = "storage_vendor", "存储服务方", "storage vendor";
        /// The operator of the lines between regions.
        TransferOperator = "transfer_operator", "传输服务方", "transfer operator";
    }
);

named!(
    /// The place of a layer: a lower one overrides an upper one (T-04).
    ///
    /// ```
    /// use mic_billing::Level;
    /// assert!(Level::Nation < Level::Contract);
    /// ```
    Level {
        /// The whole country.
        Nation = "nation", "国家", "nation";
        /// A province.
        Province = "province", "省", "province";
        /// A city.
        City = "city", "市", "city";
        /// A contract or an institution.
        Contract = "contract", "合同", "contract";
    }
);

named!(
    /// Who gets what the tariff is above a contract's price (S-03).
    ///
    /// ```
    /// assert_eq!(mic_billing::SurplusTo::Payer.name(), "payer");
    /// ```
    SurplusTo {
        /// It stays with the hospital.
        Hospital = "hospital", "归医院", "the hospital";
        /// It goes back to the fund.
        Fund = "fund", "归医保基金", "the fund";
        /// Nobody: the charge is the contract's price.
        Payer = "payer", "降低收费", "whoever pays, by a lower charge";
    }
);

named!(
    /// How the transfer between regions is paid (S-04).
    ///
    /// ```
    /// assert_eq!(mic_billing::TransferBasis::PoolByBytes.name(), "pool_by_bytes");
    /// ```
    TransferBasis {
        /// A share of each visit.
        PerVisit = "per_visit", "按人次", "per visit";
        /// A monthly pool, by retrievals.
        PoolByCount = "pool_by_count", "按调阅次数分配", "pool by retrievals";
        /// A monthly pool, by bytes.
        PoolByBytes = "pool_by_bytes", "按传输字节分配", "pool by bytes";
    }
);

named!(
    /// What becomes of money for years that another vendor will keep the images (K-09).
    ///
    /// ```
    /// assert_eq!(mic_billing::Unearned::ByTime.name(), "by_time");
    /// ```
    Unearned {
        /// The first vendor keeps it.
        Kept = "kept", "不退还", "kept";
        /// It goes back by the days left.
        ByTime = "by_time", "按剩余天数退还", "back by days left";
    }
);

named!(
    /// Whether film may be charged beside the exam (B-09).
    ///
    /// ```
    /// assert_eq!(mic_billing::FilmRule::Agreed.name(), "agreed");
    /// ```
    FilmRule {
        /// Only where it is needed and the patient has agreed.
        Agreed = "agreed", "确有需要并知情同意", "needed and agreed";
        /// Never beside the cloud service.
        Excluded = "excluded", "不得另收", "never";
        /// Without a condition.
        Free = "free", "可另收", "without condition";
    }
);
