//! Who registered a unit and as what (GB 32100-2015 with amendment 1 of 2016).

use core::fmt;

macro_rules! departments {
    ($($name:ident = $code:literal $chinese:literal $english:literal,)*) => {
        /// Registering department (登记管理部门): the first character of a 统一社会信用代码.
        ///
        /// Twelve are assigned, three of them by letters: validators that want a digit there refuse
        /// military hospitals (`IDX-45`).
        ///
        /// ```
        /// use mic_index::{Department, StorageUnitCode};
        ///
        /// let hospital: StorageUnitCode = "12330000470051734A".parse()?;
        /// assert_eq!(hospital.department(), Some(Department::Staffing));
        /// assert_eq!(Department::from_code('A'), Some(Department::Military));
        /// assert_eq!(Department::from_code('B'), None);
        /// # Ok::<(), mic_index::ParseError>(())
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Department {
            $(#[doc = concat!("`", $code, "`, ", $chinese)] $name,)*
        }

        impl Department {
            /// All departments in the order of their characters.
            pub const ALL: [Self; [$($code),*].len()] = [$(Self::$name),*];

            /// The department of a first character.
            #[must_use]
            pub const fn from_code(code: char) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The character.
            #[must_use]
            pub const fn code(self) -> char {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// The name in the standard.
            #[must_use]
            pub const fn chinese_name(self) -> &'static str {
                match self {
                    $(Self::$name => $chinese,)*
                }
            }
        }

        impl fmt::Display for Department {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self {
                    $(Self::$name => $english,)*
                })
            }
        }
    };
}

departments! {
    Staffing = '1' "机构编制" "staffing office",
    ForeignAffairs = '2' "外交" "foreign affairs",
    Justice = '3' "司法行政" "justice administration",
    Culture = '4' "文化" "culture",
    CivilAffairs = '5' "民政" "civil affairs",
    Tourism = '6' "旅游" "tourism",
    Religion = '7' "宗教" "religious affairs",
    TradeUnion = '8' "工会" "trade union",
    Market = '9' "工商" "market regulation",
    Military = 'A' "中央军委改革和编制办公室" "military reform and staffing office",
    Agriculture = 'N' "农业" "agriculture",
    Other = 'Y' "其他" "other",
}

macro_rules! categories {
    ($($name:ident = $department:ident $code:literal $chinese:literal,)*) => {
        /// Category of a unit (机构类别): the second character, read together with the first.
        ///
        /// ```
        /// use mic_index::{Department, StorageUnitCode, UnitCategory};
        ///
        /// let hospital: StorageUnitCode = "12330000470051734A".parse()?;
        /// assert_eq!(hospital.category(), Some(UnitCategory::PublicInstitution));
        /// assert_eq!(UnitCategory::PublicInstitution.chinese_name(), "事业单位");
        /// // `9` means nothing with a trader's office in front of it.
        /// assert_eq!(UnitCategory::from_code(Department::Market, '9'), None);
        /// # Ok::<(), mic_index::ParseError>(())
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum UnitCategory {
            $(#[doc = concat!("`", $code, "` of [`Department::", stringify!($department), "`], ", $chinese)]
            $name,)*
        }

        impl UnitCategory {
            /// All categories in the order of their two characters.
            pub const ALL: [Self; [$($code),*].len()] = [$(Self::$name),*];

            /// The category of a second character with the given department.
            #[must_use]
            pub const fn from_code(department: Department, code: char) -> Option<Self> {
                match (department, code) {
                    $((Department::$department, $code) => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The department the category belongs to.
            #[must_use]
            pub const fn department(self) -> Department {
                match self {
                    $(Self::$name => Department::$department,)*
                }
            }

            /// The second character.
            #[must_use]
            pub const fn code(self) -> char {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// The name in the standard.
            #[must_use]
            pub const fn chinese_name(self) -> &'static str {
                match self {
                    $(Self::$name => $chinese,)*
                }
            }
        }
    };
}

categories! {
    StateOrgan = Staffing '1' "机关",
    PublicInstitution = Staffing '2' "事业单位",
    MassOrganisation = Staffing '3' "中央编办直接管理机构编制的群众团体",
    OtherStaffing = Staffing '9' "其他",
    ForeignNewsOffice = ForeignAffairs '1' "外国常驻新闻机构",
    OtherForeignAffairs = ForeignAffairs '9' "其他",
    LawFirm = Justice '1' "律师执业机构",
    NotaryOffice = Justice '2' "公证处",
    LegalServiceOffice = Justice '3' "基层法律服务所",
    ForensicInstitute = Justice '4' "司法鉴定机构",
    ArbitrationCommission = Justice '5' "仲裁委员会",
    OtherJustice = Justice '9' "其他",
    ForeignCulturalCentre = Culture '1' "外国在华文化中心",
    OtherCulture = Culture '9' "其他",
    SocialGroup = CivilAffairs '1' "社会团体",
    PrivateNonEnterprise = CivilAffairs '2' "民办非企业单位",
    Foundation = CivilAffairs '3' "基金会",
    OtherCivilAffairs = CivilAffairs '9' "其他",
    ForeignTourismOffice = Tourism '1' "外国旅游部门常驻代表机构",
    RegionalTourismOffice = Tourism '2' "港澳台地区旅游部门常驻内地(大陆)代表机构",
    OtherTourism = Tourism '9' "其他",
    ReligiousVenue = Religion '1' "宗教活动场所",
    ReligiousSchool = Religion '2' "宗教院校",
    OtherReligion = Religion '9' "其他",
    BasicTradeUnion = TradeUnion '1' "基层工会",
    OtherTradeUnion = TradeUnion '9' "其他",
    Enterprise = Market '1' "企业",
    SoleTrader = Market '2' "个体工商户",
    FarmersCooperative = Market '3' "农民专业合作社",
    MilitaryInstitution = Military '1' "军队事业单位",
    OtherMilitary = Military '9' "其他",
    GroupCollective = Agriculture '1' "组级集体经济组织",
    VillageCollective = Agriculture '2' "村级集体经济组织",
    TownshipCollective = Agriculture '3' "乡镇级集体经济组织",
    OtherAgriculture = Agriculture '9' "其他",
    Other = Other '1' "其他",
}

impl fmt::Display for UnitCategory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.chinese_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lead_back_to_what_they_came_from() {
        for department in Department::ALL {
            assert_eq!(Department::from_code(department.code()), Some(department));
        }
        for category in UnitCategory::ALL {
            let again = UnitCategory::from_code(category.department(), category.code());
            assert_eq!(again, Some(category));
        }
        assert!(Department::ALL.is_sorted_by_key(|one| one.code()));
        assert!(UnitCategory::ALL.is_sorted_by_key(|one| (one.department(), one.code())));
    }
}
