//! 4501: exam reports and their images. snake_case.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{self, Serialize, SerializeMap, Serializer};

use super::error::{FieldFaultKind, MessageError};
use super::fields::{self, Faults, Need, RawFields, UnknownFields, given, unset};
use super::message::{kind, message, view, viewed};
use super::time::WireTime;
use super::value::{Number, Wire, WireValue, read_list};
use crate::record::ExamRecord;
use crate::study_uid::StudyInstanceUid;

message! {
    /// 4501, input: one report with its items, samples and images.
    ExamReport ExamReportBuilder {
        /// The report.
        Required examinfo: (ExamInfo) = "examinfo",
        /// Its items.
        Optional iteminfo: [ItemInfo] = "iteminfo",
        /// Samples; none of an imaging exam.
        Optional sampleinfo: [SampleInfo] = "sampleinfo",
        /// Its images, one node for each study.
        Optional imageinfo: [ImageInfo] = "imageinfo",
    }
}

message! {
    /// 4501, node `imageinfo`: the images of one study.
    ///
    /// ```
    /// use mic_index::messages::ImageInfo;
    /// use mic_index::{ExamRecord, index_code};
    ///
    /// let code = index_code!(
    ///     "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
    /// );
    /// let record = ExamRecord::builder()
    ///     .code(code)
    ///     .study_instance_uid("1.2.840.1".parse()?)
    ///     .institution("H35020300001".parse()?)
    ///     .accession_number("A17")
    ///     .counts(2, 28)
    ///     .build()?
    ///     .record()
    ///     .ok_or("indexable")?;
    /// let images = ImageInfo::builder().record(&record).rpotc_no("R1").modality("CT").build()?;
    /// let json = serde_json::to_value(&images)?;
    /// assert_eq!(json["acession_no"], "A17"); // one c, as specified
    /// assert_eq!(json["study_time"], "2024-11-22 14:30:00");
    /// assert_eq!(json["image_count"], "28");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ImageInfo ImageInfoBuilder {
        /// Number of the report.
        Required rpotc_no: text = "rpotc_no",
        /// StudyInstanceUID.
        Required study_uid: uid = "study_uid",
        /// Number of the exam, in spite of its name.
        Optional patient_id: text = "patient_id",
        /// Name of the patient.
        Optional patient_name: text = "patient_name",
        /// Accession number. Written `acession_no`: the specification has lost a c.
        Optional accession_no: text = "acession_no",
        /// Time of the study; which moment counts is not defined.
        Optional study_time: time = "study_time",
        /// Modality.
        Optional modality: text = "modality",
        /// Where the images are stored.
        Optional store_path: text = "store_path",
        /// Number of series; `0` where it is not known.
        Optional series_count: count = "series_count",
        /// Number of images; `0` where it is not known.
        Optional image_count: count = "image_count",
    }
}

impl ImageInfoBuilder {
    /// Takes from a record what it has: study, time, accession number, counts.
    ///
    /// The index code itself has no field here.
    #[must_use]
    pub fn record(self, record: &ExamRecord) -> Self {
        self.study_uid(record.study_instance_uid())
            .study_time(WireTime::from(record.code().exam_time()))
            .accession_no(record.accession_number().unwrap_or_default())
            .series_count(record.series_count())
            .image_count(record.image_count())
    }
}

message! {
    /// 4501, node `iteminfo`: an item of the exam. More fields exist and are kept.
    ItemInfo ItemInfoBuilder {
        /// Number of the request.
        Optional appy_no: text = "appy_no",
        /// Number of the report.
        Required rpotc_no: text = "rpotc_no",
        /// Insurance code of the item.
        Optional exam_item_code: text = "exam_item_code",
        /// Insurance name of the item.
        Optional exam_item_name: text = "exam_item_name",
        /// Code of the item in the hospital.
        Optional inhosp_exam_item_code: text = "inhosp_exam_item_code",
        /// Name of the item in the hospital.
        Optional inhosp_exam_item_name: text = "inhosp_exam_item_name",
        /// Charge in yuan; `0` where it is not known.
        Optional exam_charge: number = "exam_charge",
    }
}

message! {
    /// 4501, node `sampleinfo`: samples. An imaging exam has none; what comes is kept.
    SampleInfo SampleInfoBuilder {}
}

message! {
    /// 4501, node `examinfo`: the report. Dictionaries and lengths are not published, so all is text.
    ExamInfo ExamInfoBuilder {
        /// Serial of the visit (就医流水号).
        Optional mdtrt_sn: text = "mdtrt_sn",
        /// Number of the visit (就诊ID).
        Optional mdtrt_id: text = "mdtrt_id",
        /// Person number of the province (人员编号).
        Optional psn_no: text = "psn_no",
        /// Number of the request (申请单号).
        Optional appy_no: text = "appy_no",
        /// Name of the requesting doctor.
        Optional appy_doc_name: text = "appy_doc_name",
        /// Number of the report (报告单号).
        Required rpotc_no: text = "rpotc_no",
        /// Type of the report.
        Optional rpotc_type_code: text = "rpotc_type_code",
        /// Name of the report.
        Optional exam_rpotc_name: text = "exam_rpotc_name",
        /// Date of the exam.
        Optional exam_date: text = "exam_date",
        /// Date of the report.
        Optional rpt_date: text = "rpt_date",
        /// Date of collection (采样日期).
        Optional cma_date: text = "cma_date",
        /// Date of the sample.
        Optional sapl_date: text = "sapl_date",
        /// Number of the specimen.
        Optional spcm_no: text = "spcm_no",
        /// Name of the specimen.
        Optional spcm_name: text = "spcm_name",
        /// Type of the exam by its code.
        Optional exam_type_code: text = "exam_type_code",
        /// Insurance code of the item.
        Optional exam_item_code: text = "exam_item_code",
        /// Type of the exam by its name.
        Optional exam_type_name: text = "exam_type_name",
        /// Insurance name of the item.
        Optional exam_item_name: text = "exam_item_name",
        /// Code of the item in the hospital.
        Optional inhosp_exam_item_code: text = "inhosp_exam_item_code",
        /// Name of the item in the hospital.
        Optional inhosp_exam_item_name: text = "inhosp_exam_item_name",
        /// Part examined (检查部位), free text here.
        Optional exam_part: text = "exam_part",
        /// Whether the result is positive.
        Optional exam_rslt_poit_flag: text = "exam_rslt_poit_flag",
        /// Whether the result is abnormal.
        Optional exam_rslt_abn: text = "exam_rslt_abn",
        /// Conclusion of the exam.
        Optional exam_ccls: text = "exam_ccls",
        /// Name of the requesting institution.
        Optional appy_org_name: text = "appy_org_name",
        /// Code of the requesting department.
        Optional appy_dept_code: text = "appy_dept_code",
        /// Code of the examining department.
        Optional exam_dept_code: text = "exam_dept_code",
        /// Code of the ward.
        Optional ipt_dept_code: text = "ipt_dept_code",
        /// Name of the ward.
        Optional ipt_dept_name: text = "ipt_dept_name",
        /// Code of the billing doctor.
        Optional bilg_dr_codg: text = "bilg_dr_codg",
        /// Name of the billing doctor.
        Optional bilg_dr_name: text = "bilg_dr_name",
        /// Name of the examining institution.
        Optional exe_org_name: text = "exe_org_name",
        /// Whether the report is valid.
        Optional vali_flag: text = "vali_flag",
    }
}
