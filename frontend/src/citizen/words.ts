/** The words of the public pages, apart from those of the staff: what a slow telephone loads stays small. */
export type Text = { zh: string; en: string };

const WORDS = {
  report: ["上报问题", "Report a problem"],
  mine: ["我的上报", "My reports"],
  around: ["身边的事", "Around me"],
  parts: ["市民页面", "Pages for citizens"],
  skip: ["跳到正文", "Skip to the content"],
  large: ["大字", "Large type"],
  other: ["English", "中文"],
  fiction: ["这是虚构的示范城市，上报不会有人处理。", "This is a fictional city: nobody acts on reports."],
  offline: ["没有网络。可以照常填写，有网络后自动发送。", "No network. Write as usual; it is sent when the network is back."],
  loading: ["正在打开……", "Opening…"],
  again: ["再试一次", "Try again"],
  unreachable: ["连不上服务器", "The server cannot be reached"],
  photo: ["拍照或选照片", "Take or choose a photograph"],
  photoHint: ["照片里的位置只用来填地点，不会公开。", "The place in the photograph only fills in where it is; it is never shown."],
  photos: ["照片", "Photographs"],
  photoN: ["照片 {n}", "Photograph {n}"],
  removePhoto: ["去掉照片 {n}", "Remove photograph {n}"],
  where: ["在哪里", "Where"],
  fromPhoto: ["照片里的位置", "From the photograph"],
  fromPhone: ["手机现在的位置，误差约 {metres} 米", "Where the telephone is now, within about {metres} m"],
  fromMap: ["在地图上选的位置", "Chosen on the map"],
  locating: ["正在定位……", "Finding where you are…"],
  noPlace: ["还不知道在哪里。请在地图上点一下，或允许手机定位。", "The place is not known yet. Tap it on the map, or let the telephone tell it."],
  onMap: ["在地图上选", "Choose on the map"],
  closeMap: ["用这个位置", "Use this place"],
  hereAgain: ["用手机现在的位置", "Use where I am now"],
  mapHint: ["把十字移到出事的地方。也可以用方向键。", "Move the cross to the spot. Arrow keys work, too."],
  what: ["是什么问题", "What is it"],
  whatHint: ["写几个字，类别会跟着变。", "Write a few words and the choices follow."],
  say: ["说说情况（可以不写）", "Tell what you see (optional)"],
  sayHint: ["请不要写姓名、电话、证件号。", "Please leave out names, telephone and identity numbers."],
  near: ["附近已有人上报，是同一件吗？", "Somebody reported this nearby. Is it the same?"],
  nearJoin: ["是这一件，我也遇到了", "It is this one, I have met it, too"],
  nearOwn: ["都不是，我的是另一件", "None of them: mine is another"],
  metresAway: ["相距 {metres} 米", "{metres} m away"],
  more: ["怎么通知我、是否公开", "How I am told, and what is public"],
  email: ["电子邮箱", "E-mail"],
  sms: ["手机号码", "Mobile number"],
  wishes: ["什么时候通知", "When to tell me"],
  wish_received: ["收到时", "When it came in"],
  wish_progress: ["每有进展", "At every step"],
  wish_done: ["办完时", "When it is done"],
  private: ["不要公开这件事", "Keep this from the public"],
  privateHint: ["公开的也只有类别、位置和进展，没有您写的话和照片。", "Even otherwise only type, place and progress are public, never your words or photographs."],
  send: ["发送", "Send"],
  sending: ["正在发送……", "Sending…"],
  lacksType: ["请先选一个类别。", "Choose what it is first."],
  lacksPlace: ["请先确定位置。", "Say where it is first."],
  sent: ["已收到，谢谢！", "Received. Thank you!"],
  kept: ["已存在手机里，有网络后自动发送。", "Kept on this telephone; it is sent when the network is back."],
  number: ["编号", "Number"],
  code: ["查询码", "Code"],
  codeHint: ["换手机或忘了链接时，用它查进展。请不要告诉别人。", "With it you can follow the report elsewhere. Keep it to yourself."],
  follow: ["看进展", "Follow it"],
  next: ["再报一件", "Report another"],
  waiting: ["等待发送", "Waiting to be sent"],
  waitingCount: ["{n} 件等待发送", "{n} waiting to be sent"],
  refused: ["没有发出去：{why}", "Not sent: {why}"],
  mend: ["改正后再发", "Mend and send again"],
  discard: ["丢弃", "Discard"],
  nothingMine: ["这部手机上还没有上报过。", "Nothing was reported from this telephone yet."],
  findByCode: ["用查询码查进展", "Follow by code"],
  find: ["查询", "Look it up"],
  forget: ["从这部手机上移除", "Remove from this telephone"],
  progress: ["进展", "What happened"],
  office: ["谁在办", "Who has it"],
  due: ["应在此前办好", "To be done by"],
  late: ["已超过期限", "Overdue"],
  joined: ["与 {number} 一起办", "Dealt with together with {number}"],
  others: ["还有 {n} 人上报了同一件事", "{n} more reported the same"],
  disputed: ["您说没有解决：结案前会由另一人核查、另一人批准。", "You said that it was not solved: another person checks it and another approves before it is closed."],
  hidden: ["没有公开", "Not public"],
  doMore: ["我要……", "I want to…"],
  do_supplement: ["补充情况", "Add something"],
  do_correct: ["改正描述", "Correct what I wrote"],
  do_redact: ["去掉个人信息", "Take personal data out"],
  do_hide: ["不要公开", "Keep it from the public"],
  do_withdraw: ["撤回上报", "Withdraw it"],
  do_evaluate: ["解决了，评价一下", "It is solved: rate it"],
  do_reopen: ["没有解决，请重办", "It is not fixed"],
  words_supplement: ["补充什么", "What to add"],
  words_correct: ["正确的描述", "The right wording"],
  words_redact: ["不含个人信息的描述（原来写的会删除）", "A wording without personal data (what was written before is removed)"],
  words_reopen: ["哪里没有解决", "What is not solved"],
  words_withdraw: ["撤回后不再办理。", "Nothing more is done about it then."],
  words_hide: ["公众将看不到这件事。", "The public is no longer told of it."],
  score: ["对结果满意吗", "How is the result"],
  score5: ["很满意", "Very good"],
  score4: ["满意", "Good"],
  score3: ["一般", "Fair"],
  score2: ["不满意", "Poor"],
  score1: ["很不满意", "Very poor"],
  rated: ["您的评价：{score}", "Your rating: {score}"],
  done: ["好了", "Done"],
  cancel: ["取消", "Cancel"],
  confirm: ["确定", "Confirm"],
  contactSaved: ["已记下", "Saved"],
  save: ["保存", "Save"],
  views: ["怎么看", "How to look at it"],
  list: ["列表", "List"],
  map: ["地图", "Map"],
  figures: ["数字", "Figures"],
  which: ["进展", "Progress"],
  open: ["正在办的", "Open ones"],
  closed: ["办完的", "Closed ones"],
  all: ["全部", "All"],
  area: ["地区", "Area"],
  street: ["街道", "Street"],
  community: ["社区", "Community"],
  everywhere: ["全市", "The whole city"],
  wholeStreet: ["整个街道", "The whole street"],
  type: ["类别", "Type"],
  everyType: ["所有类别", "All types"],
  whereIAm: ["我在的社区", "The community I am in"],
  makeMine: ["记为我的社区", "Keep as my community"],
  isMine: ["是我的社区", "My community"],
  leaveBox: ["不限于地图上那一处", "Not only that spot of the map"],
  notHere: ["这里不在本市的网格内。", "This is in no grid of the city."],
  noPosition: ["手机没有给出位置，请从上面选。", "The telephone told no position: choose above."],
  cases: ["共 {n} 件", "{n} in all"],
  nothing: ["没有这样的事。", "Nothing like that."],
  earlier: ["更早的", "Earlier"],
  aroundHint: ["点圆点看详情，几件在一处时会放大。列表里是同样的事。", "Tap a dot to see it; where several lie together the map comes nearer. The list holds the same."],
  feed: ["订阅（Atom）", "Feed (Atom)"],
  feedHint: ["有新的就知道：", "To hear of new ones:"],
  openData: ["开放数据（{n} 件，{day}）：", "Open data ({n} cases, {day}):"],
  contract: ["数据契约", "Contract"],
  figuresOf: ["这里的数字", "Figures of this area"],
  period: ["多长时间", "Period"],
  days: ["近 {n} 天", "Last {n} days"],
  keptBack: ["不公布", "Kept back"],
  noValue: ["还没有", "None yet"],
  why: ["{formula}。涉及不到 {n} 件，可能看出是谁，所以不公布。", "{formula}. It is of fewer than {n}, which might tell of a person, and is kept back."],
  frequent: ["正在办的最多是", "Most of the open ones"],
  reportedAt: ["上报于 {time}", "Reported {time}"],
  alert: ["邮件提醒", "Alerts by e-mail"],
  alertAsk: ["有新的就发邮件给我", "Tell me of new ones by e-mail"],
  alertHint: ["提醒上面选的地区和类别。先收到一封确认邮件，确认以后才会有提醒，随时可以停。", "Of the area and type chosen above. First a message asks whether you want it; it begins only with your yes, and you end it whenever you like."],
  alertEvery: ["最多多久一封", "At most one message"],
  every_hour: ["每小时", "an hour"],
  every_day: ["每天", "a day"],
  every_week: ["每周", "a week"],
  alertPace: ["{every}", "at most one message {every}"],
  alertSend: ["发确认邮件", "Send the question"],
  alertAsked: ["如果 {email} 还没有这个提醒，确认邮件已经发出。两天内确认有效。", "If {email} has no such alert yet, the question is on its way. Answer within two days."],
  alertCode: ["邮件里的码", "Code of the message"],
  alertFind: ["每封提醒邮件里都有一个码：填在这里，可以确认开通，也可以停止。", "Every message bears a code: give it here to say yes, or to end the alert."],
  alertOff: ["还没有确认。", "It waits for your yes."],
  alertOn: ["已经开通。", "It is on."],
  alertYes: ["确认开通", "Yes, I want it"],
  alertEnd: ["停止提醒", "End it"],
  alertEnded: ["已停止，地址已删除。", "It has ended, and the address is gone."],
  account: ["在别的手机上也能看（可以不用）", "See them on another telephone, too (optional)"],
  accountHint: ["上报会收进您的账号；我们不保存您的姓名和邮箱。", "Your reports are gathered; neither your name nor your address is kept."],
  accountMail: ["用邮箱收一个登录码，没有密码。", "A code is sent by e-mail; there is no password."],
  accountRefused: ["没有登录成功，可以再试一次。", "You were not let in. You can try again."],
  accountAsk: ["发登录码", "Send me a code"],
  accountSent: ["登录码已发到 {email}，15 分钟内有效。", "A code was sent to {email}; it holds for 15 minutes."],
  accountCode: ["登录码", "Code"],
  accountEnter: ["登录", "Enter"],
  accountIn: ["已登录：这里的上报都收在您的账号里。", "You are in: the reports here are gathered in your account."],
  accountLeave: ["退出", "Leave"],
  accountEnd: ["删除账号", "Delete the account"],
  accountEnded: ["账号已删除；上报仍可用链接或查询码查看。", "The account is gone; reports are still followed by their links and codes."],
  state: ["到哪一步", "Where it stands"],
  forwarded: ["已转交{city}办理。{number}", "{city} deals with it. {number}"],
  forwardClosed: ["{city}已办结。{number}", "{city} has closed it. {number}"],
  alsoMet: ["我也遇到了", "I have met it, too"],
} satisfies Record<string, [string, string]>;

export type Word = keyof typeof WORDS;
const page = document.documentElement;

export const english = (): boolean => page.lang === "en";

export function t(word: Word, values: Record<string, string | number> = {}): string {
  const said: string = WORDS[word][english() ? 1 : 0];
  return said.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

export function say(text: Text | null | undefined): string {
  if (!text) return "";
  return english() ? text.en || text.zh : text.zh || text.en;
}

export function when(iso: string, zone: string): string {
  const parts: Intl.DateTimeFormatOptions = { timeZone: zone, year: "numeric", month: english() ? "short" : "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat(english() ? "en-GB" : "zh-CN", parts).format(new Date(iso));
}

export function store(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // forgotten with the page, nothing else
  }
}

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function otherLanguage(): void {
  page.lang = english() ? "zh-CN" : "en";
  store("jingwei.lang", english() ? "en" : "zh");
}

export function isLarge(): boolean {
  return page.dataset.large === "yes";
}

export function setLarge(large: boolean): void {
  if (large) page.dataset.large = "yes";
  else delete page.dataset.large;
  store("jingwei.large", large ? "yes" : null);
}

export function recallLarge(): void {
  if (recall("jingwei.large") === "yes") page.dataset.large = "yes";
}
