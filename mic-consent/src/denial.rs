//! Why a token was refused: a stable number, a coarse class for the public, a fine reason for the log,
//! the verification step it failed at, and whose fault it is (CST-70 to CST-74).

use core::{fmt, num::NonZeroU32};

/// The numbered steps of verification, in the order in which they are taken (spec section 6).
///
/// ```
/// use mic_consent::Step;
/// assert_eq!(Step::Signature.number(), 6);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Step {
    /// 1: length of the text or the bytes.
    Size,
    /// 2: prefix and base45.
    Text,
    /// 3: one canonical COSE_Sign1, nothing after it.
    Structure,
    /// 4: the protected header and the type of the token.
    Header,
    /// 5: the key that the header names: known, accepted, in the right role and state.
    Key,
    /// 6: the signature.
    Signature,
    /// 7: the claims, each in its range, and the rules between them.
    Claims,
    /// 8: whether that key may say these claims.
    Issuer,
    /// 9: the realm.
    Audience,
    /// 10: the clock.
    Time,
    /// 11: the request that the grant answers.
    Request,
    /// 12: withdrawal and suspension.
    Status,
    /// 13: the proof of use against the grant and the node.
    Holder,
    /// 14: subject, rights and scope against the action.
    Scope,
    /// 15: replay and counting.
    Replay,
    /// 16: lists and key sets against those seen before.
    Order,
    /// 17: proofs about an access log.
    Log,
}

impl Step {
    /// The number of the step in the specification.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Size => 1,
            Self::Text => 2,
            Self::Structure => 3,
            Self::Header => 4,
            Self::Key => 5,
            Self::Signature => 6,
            Self::Claims => 7,
            Self::Issuer => 8,
            Self::Audience => 9,
            Self::Time => 10,
            Self::Request => 11,
            Self::Status => 12,
            Self::Holder => 13,
            Self::Scope => 14,
            Self::Replay => 15,
            Self::Order => 16,
            Self::Log => 17,
        }
    }
}

/// What a patient or a hospital is told: enough to act on, too little to probe with (CST-72).
///
/// ```
/// use mic_consent::{PublicClass, Reason};
/// // A wrong signature and an unknown key look the same from outside.
/// assert_eq!(Reason::BadSignature.class(), Reason::UnknownKey.class());
/// assert_eq!(PublicClass::NotTrusted.chinese(), "无法确认授权来源");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PublicClass {
    /// The token cannot be read.
    Malformed,
    /// Its origin cannot be confirmed.
    NotTrusted,
    /// It is outside its time.
    NotValidNow,
    /// It was withdrawn or suspended.
    Withdrawn,
    /// It does not allow this.
    NotAllowed,
    /// The node cannot decide at the moment.
    TryLater,
}

impl PublicClass {
    /// The English text for a screen.
    #[must_use]
    pub const fn english(self) -> &'static str {
        match self {
            Self::Malformed => "the code cannot be read",
            Self::NotTrusted => "the origin of the consent cannot be confirmed",
            Self::NotValidNow => "the consent is not valid at this time",
            Self::Withdrawn => "the consent was withdrawn or suspended",
            Self::NotAllowed => "the consent does not cover this",
            Self::TryLater => "the consent cannot be checked at the moment",
        }
    }

    /// The Chinese text for a screen.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Malformed => "无法识别的授权码",
            Self::NotTrusted => "无法确认授权来源",
            Self::NotValidNow => "授权不在有效期内",
            Self::Withdrawn => "授权已撤回或已暂停",
            Self::NotAllowed => "授权不包含此项操作",
            Self::TryLater => "暂时无法核验授权",
        }
    }
}

/// Who has to put it right (CST-73).
///
/// ```
/// use mic_consent::{Fault, Reason};
/// assert_eq!(Reason::StatusUnknown.fault(), Fault::Node);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes were damaged or never were a token.
    Data,
    /// Who presents it: wrong place, wrong key, too late, too much.
    Presenter,
    /// Who signed it.
    Issuer,
    /// The checking node itself: its trust file, lists, clock or memory.
    Node,
}

macro_rules! reasons {
    ($( $name:ident = $number:literal, $step:ident, $class:ident, $fault:ident, $zh:literal, $en:literal; )*) => {
        /// The fine reason of a refusal, for logs and programs; its number never changes (CST-71).
        ///
        /// ```
        /// use mic_consent::{Reason, Step};
        /// assert_eq!(Reason::BadSignature.number(), 601);
        /// assert_eq!(Reason::BadSignature.step(), Step::Signature);
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $( #[doc = concat!(stringify!($number), ": ", $en, ".")] $name, )*
        }

        impl Reason {
            /// Every reason, in the order of their numbers.
            pub const ALL: &'static [Self] = &[ $( Self::$name, )* ];

            /// The stable number: the step's number times 100, plus a running number.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $( Self::$name => $number, )* }
            }

            /// The step at which it is usually found.
            #[must_use]
            pub const fn step(self) -> Step {
                match self { $( Self::$name => Step::$step, )* }
            }

            /// What the public is told.
            #[must_use]
            pub const fn class(self) -> PublicClass {
                match self { $( Self::$name => PublicClass::$class, )* }
            }

            /// Who has to put it right.
            #[must_use]
            pub const fn fault(self) -> Fault {
                match self { $( Self::$name => Fault::$fault, )* }
            }

            /// The name used in vectors and logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$name => stringify!($name), )* }
            }

            /// The English text: what was expected and what was found.
            #[must_use]
            pub const fn english(self) -> &'static str {
                match self { $( Self::$name => $en, )* }
            }

            /// The Chinese text.
            #[must_use]
            pub const fn chinese(self) -> &'static str {
                match self { $( Self::$name => $zh, )* }
            }
        }
    };
}

reasons! {
    TextTooLong = 101, Size, Malformed, Data, "文本过长", "expected a text of at most 3078 characters";
    TokenTooLong = 102, Size, Malformed, Data, "令牌过长", "expected a token of at most 2048 bytes, or a document within its limit";
    UnknownPrefix = 201, Text, Malformed, Data, "前缀不是本平台的令牌", "expected the prefix of a token, such as MICQ1:";
    NotBase45 = 202, Text, Malformed, Data, "含有 base45 之外的字符", "expected a character of the base45 alphabet";
    Base45Length = 203, Text, Malformed, Data, "base45 长度不成组", "expected groups of three characters and at most one of two";
    Base45Overflow = 204, Text, Malformed, Data, "base45 组值超出范围", "expected a base45 group within the range of its bytes";
    Truncated = 301, Structure, Malformed, Data, "数据不完整", "expected more bytes";
    TrailingBytes = 302, Structure, Malformed, Data, "末尾有多余数据", "expected the end";
    NotShortest = 303, Structure, Malformed, Data, "长度或整数不是最短形式", "expected the shortest form of a number or length";
    Indefinite = 304, Structure, Malformed, Data, "不允许不定长编码", "expected a definite length";
    ReservedForm = 305, Structure, Malformed, Data, "使用了保留的编码", "expected a number or length, found a reserved form";
    WrongItem = 306, Structure, Malformed, Data, "数据项类型不符", "expected another type of item here";
    TooMany = 307, Structure, Malformed, Data, "长度或数量超出上限", "expected a length or count within the limit";
    DuplicateKey = 308, Structure, Malformed, Data, "映射中有重复的键", "expected each key once";
    KeyOrder = 309, Structure, Malformed, Data, "映射的键未按序排列", "expected keys in ascending order";
    UnexpectedKey = 310, Structure, Malformed, Data, "映射中有未知的键", "expected no other key here";
    ListOrder = 311, Structure, Malformed, Data, "列表未按序排列或有重复", "expected a list in ascending order without repeats";
    UnprotectedHeader = 312, Structure, Malformed, Data, "未受保护的头部必须为空", "expected an empty unprotected header";
    SignatureLength = 313, Structure, Malformed, Data, "签名不是 64 字节", "expected a signature of 64 bytes";
    BadLength = 314, Structure, Malformed, Data, "长度或数量不符", "expected a length or count as stated for this item";
    HeaderKeys = 401, Header, Malformed, Data, "头部必须恰有 alg、kid、typ", "expected exactly alg, kid and typ in the protected header";
    UnknownAlgorithm = 402, Header, NotTrusted, Presenter, "不支持的签名算法", "expected the algorithm number of a known suite";
    KeyIdLength = 403, Header, Malformed, Data, "密钥标识不是 8 字节", "expected a key id of 8 bytes";
    OtherType = 404, Header, Malformed, Presenter, "令牌类型不符", "expected another type of token";
    PrefixMismatch = 405, Header, Malformed, Data, "前缀与令牌类型不符", "expected the prefix of the type in the header";
    SuiteNotAccepted = 501, Key, NotTrusted, Presenter, "本节点不接受该密码套件", "expected a suite that the node's policy accepts";
    UnknownKey = 502, Key, NotTrusted, Presenter, "未知的签名密钥", "expected a key of the trusted set";
    AlgorithmNotOfKey = 503, Key, NotTrusted, Presenter, "算法与密钥不符", "expected the algorithm of the key record";
    RoleMissing = 504, Key, NotTrusted, Issuer, "密钥无此角色", "expected a key with the role for this type of token";
    KeySuspended = 505, Key, NotTrusted, Issuer, "密钥已暂停", "expected a key that is not suspended";
    KeyRevoked = 506, Key, NotTrusted, Issuer, "密钥已吊销", "expected a key that is not revoked";
    KeyCompromised = 507, Key, NotTrusted, Issuer, "密钥已泄露", "expected a key that is not compromised";
    OrganisationSuspended = 508, Key, NotTrusted, Issuer, "机构已被暂停", "expected a key whose owner is not suspended";
    BadSignature = 601, Signature, NotTrusted, Presenter, "签名无效", "expected a valid signature";
    MissingClaim = 701, Claims, Malformed, Issuer, "缺少必要的声明", "expected a claim that is absent";
    UnsupportedVersion = 702, Claims, Malformed, Issuer, "不支持的版本", "expected version 1 of the claims";
    UnknownPurpose = 703, Claims, NotAllowed, Issuer, "未知的使用目的", "expected a purpose of the closed list";
    UnknownRight = 704, Claims, NotAllowed, Issuer, "未知或为空的权利", "expected rights of the closed list, at least one";
    ScopeInconsistent = 705, Claims, NotAllowed, Issuer, "范围自相矛盾", "expected the parts of the scope to fit its kind";
    BadCode = 706, Claims, Malformed, Issuer, "编码格式不符", "expected a code of the stated alphabet and length";
    BadDate = 707, Claims, Malformed, Issuer, "日期或时间超出范围", "expected a date or time within range, first before last";
    UnknownListValue = 708, Claims, Malformed, Issuer, "不在封闭列表中的取值", "expected a value of a closed list";
    SeparateConsentMissing = 709, Claims, NotAllowed, Issuer, "缺少单独同意", "expected the separate consent that this grant needs";
    GuardianMissing = 710, Claims, NotAllowed, Issuer, "缺少监护人同意", "expected a guardian for a person under 14 or without capacity";
    GuardianForbidden = 711, Claims, NotAllowed, Issuer, "有行为能力的成年人须本人同意", "expected no guardian for an adult with capacity";
    TimeOrder = 712, Claims, NotValidNow, Issuer, "时间先后不符", "expected issue, start and end in this order";
    LifeTooLong = 713, Claims, NotValidNow, Issuer, "有效期过长", "expected a life within the limit for this type";
    BadStatusCode = 714, Claims, Malformed, Issuer, "状态列表编码不符", "expected the one code of a status set within its places";
    BadKeyRecord = 715, Claims, Malformed, Issuer, "密钥记录不符", "expected a key record that can be trusted";
    EmergencyRights = 716, Claims, NotAllowed, Issuer, "紧急调阅不得超出查看", "expected an emergency access to list, view and see reports alone";
    ReviewerSelf = 717, Claims, NotAllowed, Issuer, "复核人不得为本人", "expected a reviewer other than the doctor who acts";
    OrderRights = 718, Claims, NotAllowed, Issuer, "依法调阅不得超出查看与留存", "expected an order to list, view, see reports and keep alone";
    IssuerNotKeyOwner = 801, Issuer, NotTrusted, Issuer, "签发者与密钥所属机构不符", "expected the issuer to own the key";
    OutsideProvince = 802, Issuer, NotTrusted, Issuer, "密钥不得代表其他省份", "expected a scope within the province of the key";
    KeyNotValidAtIssue = 803, Issuer, NotTrusted, Issuer, "签发时密钥不在有效期内", "expected an issue time within the validity of the key";
    KeyRetired = 804, Issuer, NotTrusted, Issuer, "密钥已停止签发", "expected an issue time before the key stopped signing";
    OtherNode = 805, Issuer, NotTrusted, Issuer, "回执签发者不是该节点", "expected a receipt by the node that it names";
    SelfGranted = 806, Issuer, NotTrusted, Issuer, "医疗机构不得授权给自己", "expected an authority that is not the hospital it grants to";
    WrongRealm = 901, Audience, NotAllowed, Presenter, "令牌不属于本平台", "expected the realm of this node";
    NotYetValid = 1001, Time, NotValidNow, Presenter, "授权尚未生效", "expected a time at or after the start";
    Expired = 1002, Time, NotValidNow, Presenter, "授权已过期", "expected a time before the end";
    IssuedInFuture = 1003, Time, NotValidNow, Issuer, "签发时间晚于当前时间", "expected an issue time that is not in the future";
    LifeOverPolicy = 1004, Time, NotValidNow, Issuer, "有效期超过本节点策略", "expected a life within the node's policy";
    CheckTooOld = 1005, Time, TryLater, Node, "状态核验已过时，需重新核验", "expected a status check that is recent";
    ClockInvalid = 1006, Time, TryLater, Node, "节点时钟异常", "expected the node's clock not to run backwards or before 1970";
    OtherRequest = 1101, Request, NotAllowed, Presenter, "授权并非针对该请求", "expected the grant for this very request";
    EmergencyNotAccepted = 1102, Request, NotAllowed, Presenter, "本节点不接受紧急调阅", "expected a grant, since this node takes no emergency access";
    OrderNotAccepted = 1103, Request, NotAllowed, Presenter, "本节点不接受依法调阅令", "expected a grant, since this node takes no orders";
    Withdrawn = 1201, Status, Withdrawn, Presenter, "授权已撤回", "expected a grant that is not withdrawn";
    Suspended = 1202, Status, Withdrawn, Presenter, "授权已暂停", "expected a grant that is not suspended";
    StatusUnknown = 1203, Status, TryLater, Node, "无法得知授权状态", "expected a fresh status for this grant";
    NotTheGrantee = 1301, Holder, NotAllowed, Presenter, "使用者不是被授权方", "expected a proof signed by the key the grant names";
    OtherGrant = 1302, Holder, NotAllowed, Presenter, "使用证明针对另一授权", "expected a proof for this grant";
    OtherPlace = 1303, Holder, NotAllowed, Presenter, "使用证明针对另一节点", "expected a proof for this node";
    OtherAction = 1304, Holder, NotAllowed, Presenter, "使用证明针对另一操作", "expected a proof for this action and record";
    OtherPerson = 1305, Holder, NotAllowed, Presenter, "科室或医师不符", "expected the department and doctor that the grant names";
    NarrowedWider = 1306, Holder, NotAllowed, Presenter, "缩小后的授权超出原授权", "expected a narrowed grant within what it narrows";
    NarrowedTooOften = 1307, Holder, NotAllowed, Presenter, "授权缩小次数过多", "expected a grant that is narrowed at most three times";
    OtherSubject = 1401, Scope, NotAllowed, Presenter, "患者或盐值与授权不符", "expected the person and the salts the grant is about";
    RightMissing = 1402, Scope, NotAllowed, Presenter, "授权不含此权利", "expected a right that the grant gives";
    OutsideScope = 1403, Scope, NotAllowed, Presenter, "检查不在授权范围内", "expected a record within the scope";
    OtherOpening = 1404, Scope, NotAllowed, Presenter, "盐值与签名所绑定的不符", "expected the opening whose digest is signed";
    ProofReplayed = 1501, Replay, NotAllowed, Presenter, "使用证明已用过", "expected a proof that was not used before";
    MemoryFull = 1502, Replay, TryLater, Node, "防重放存储已满", "expected room in the replay memory";
    StudiesUsedUp = 1503, Replay, NotAllowed, Presenter, "已达可调阅检查数上限", "expected fewer studies than the grant allows";
    RequestReplayed = 1504, Replay, NotAllowed, Presenter, "请求已处理过", "expected a request that was not taken before";
    OfferTaken = 1505, Replay, NotAllowed, Presenter, "出示码已用过", "expected an offer that was not taken before";
    OtherOffer = 1506, Replay, NotAllowed, Presenter, "请求并非针对该出示码", "expected a request that takes up this offer";
    OlderThanSeen = 1601, Order, TryLater, Presenter, "版本早于已见版本", "expected a version that is not older than one seen before";
    ForkedVersion = 1602, Order, NotTrusted, Issuer, "同一版本内容不同", "expected one content for one version";
    WithdrawalUndone = 1603, Order, NotTrusted, Issuer, "已撤回的授权不得恢复", "expected what was withdrawn to stay withdrawn";
    OtherPredecessor = 1604, Order, NotTrusted, Issuer, "与上一版本不衔接", "expected the digest of the set before";
    TooFewRoots = 1605, Order, NotTrusted, Issuer, "根密钥签名数不足", "expected the same set signed by more roots";
    TooManyLists = 1606, Order, TryLater, Node, "状态列表数量已达上限", "expected room for another status list";
    NotKept = 1607, Order, TryLater, Node, "未能落盘保存，请重试", "expected a store that keeps what it is given";
    NotInLog = 1701, Log, NotTrusted, Presenter, "日志中没有该记录", "expected a path that leads to the head of the log";
    LogRewritten = 1702, Log, NotTrusted, Issuer, "日志历史被改写", "expected the older head within the newer one";
    LogProofShape = 1703, Log, Malformed, Data, "日志证明形式不符", "expected as many hashes as index and size ask for";
    NotWitnessed = 1704, Log, NotTrusted, Presenter, "日志头未经见证", "expected the same head signed by another organisation";
    OtherLog = 1705, Log, NotAllowed, Presenter, "属于另一日志", "expected the head of this very log";
}

/// A refusal: the reason, the step, and the byte or character at which it was seen.
///
/// ```
/// use mic_consent::{Encoded, Reason, Step};
///
/// let denial = Encoded::from_text("MICG1:????").unwrap_err();
/// assert_eq!(denial.reason(), Reason::NotBase45);
/// assert_eq!(denial.number(), 202);
/// assert_eq!(denial.at(), Some(6));
/// assert_eq!(denial.to_string(), "202: expected a character of the base45 alphabet, at 6");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}: {}{}", reason.number(), reason.english(), Place(at.get()))]
pub struct Denial {
    reason: Reason,
    step: Step,
    at: At,
}

/// An offset and one, or none. With it a denial has eight bytes, so that a result of a small value and a denial is
/// returned in registers: some forty of them are passed on for each token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct At(Option<NonZeroU32>);

impl At {
    fn new(offset: usize) -> Self {
        let next = u32::try_from(offset).ok();
        Self(next.and_then(|offset| NonZeroU32::MIN.checked_add(offset)))
    }

    fn get(self) -> Option<usize> {
        self.0.and_then(|next| usize::try_from(next.get() - 1).ok())
    }
}

impl fmt::Debug for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.get(), f)
    }
}

const _: () = assert!(size_of::<Denial>() == 8);

impl Denial {
    pub(crate) const fn new(reason: Reason) -> Self {
        Self {
            reason,
            step: reason.step(),
            at: At(None),
        }
    }

    pub(crate) fn at_offset(reason: Reason, at: usize) -> Self {
        Self {
            reason,
            step: reason.step(),
            at: At::new(at),
        }
    }

    /// A fault of the encoding that shows only while the claims are read.
    pub(crate) const fn in_step(mut self, step: Step) -> Self {
        self.step = step;
        self
    }

    /// The fine reason, for the log.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The stable number of the reason.
    #[must_use]
    pub const fn number(&self) -> u16 {
        self.reason.number()
    }

    /// The verification step that failed.
    #[must_use]
    pub const fn step(&self) -> Step {
        self.step
    }

    /// What may be shown to the public.
    #[must_use]
    pub const fn class(&self) -> PublicClass {
        self.reason.class()
    }

    /// Who has to put it right.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.reason.fault()
    }

    /// The character of the text (steps 1 and 2) or the byte of the token at which it was seen.
    #[must_use]
    pub fn at(&self) -> Option<usize> {
        self.at.get()
    }

    /// The English text of the reason.
    #[must_use]
    pub const fn english(&self) -> &'static str {
        self.reason.english()
    }

    /// The Chinese text of the reason.
    #[must_use]
    pub const fn chinese(&self) -> &'static str {
        self.reason.chinese()
    }
}

impl From<Reason> for Denial {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

struct Place(Option<usize>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(at) => write!(f, ", at {at}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_numbers_follow_the_steps_and_are_unique() {
        let mut last = 0;
        for reason in Reason::ALL {
            assert!(reason.number() > last, "{}", reason.name());
            assert_eq!(
                reason.number() / 100,
                reason.step().number(),
                "{}",
                reason.name()
            );
            last = reason.number();
        }
    }

    #[test]
    fn ok_texts_are_lower_case_without_full_stop() {
        for reason in Reason::ALL {
            assert!(
                reason.english().starts_with(char::is_lowercase),
                "{}",
                reason.name()
            );
            assert!(!reason.english().ends_with('.'), "{}", reason.name());
            assert!(!reason.chinese().ends_with('。'), "{}", reason.name());
        }
    }
}
