# What is said to everybody. Texts are Telegram's HTML: b, i, code; what comes from outside is escaped before it gets here.

as-is = { $text }
span-d = { $n } д
span-h = { $n } ч
span-min = { $n } мин
span-s = { $n } с

role-guest = гость
role-viewer = наблюдатель
role-operator = оператор
role-admin = администратор

## Ways in

stranger = Здравствуйте, { $name }. Это Rackhand, он присматривает за чужими серверами и работает только с приглашёнными.
    👉 Попросите у администратора ссылку-приглашение или сообщите ему свой номер: <code>{ $id }</code>
    Если код уже есть, отправьте <code>/start КОД</code>.
welcome = 👋 Добро пожаловать, { $name }.
group = Я работаю только в личных чатах: напишите мне напрямую.
text-only = Я понимаю только текст. Что я умею: /help
flood = Слишком много сразу. Снова слушаю через { $seconds } с.
no-access-any-more = У вас больше нет к этому доступа.
see-below = ⬇️ Показано ещё раз ниже.
notice-gone = Этого уже нет.

## Help

help-title = Ваша роль: <b>{ $role }</b>. Вам доступно:
help-tail = Имя сервера без команды покажет его карточку. Команда без имени предложит выбор.
not-understood = Не понимаю: «{ $text }».
did-you-mean = Может быть, { $what }?
not-understood-tail = Пришлите имя сервера, команду или /help.
lang-choice = Какой язык?
lang-set = Теперь по-русски.

topic-fleet = Серверы
topic-ironic = Железо
topic-work = Задания
topic-authority = Люди, программы, вопросы
topic-chat = Этот чат
topic-platform = Сам Rackhand

named-usage = Наберите так: <code>{ $usage }</code>
named-required = нужно
named-nothing = Ничего.
named-done = Сделано.
named-more = Есть ещё: добавьте <code>cursor={ $cursor }</code>
named-cut = … и ещё, здесь не поместилось.

cmd-start = начать или ввести код приглашения
cmd-help = что здесь можно
cmd-status = как обстоят дела
cmd-servers = все серверы
cmd-server = карточка одного сервера
cmd-provision = настроить сервер (диск остаётся)
cmd-rebuild = стереть сервер и настроить заново
cmd-manage = взять сервер в управление
cmd-unmanage = отпустить сервер
cmd-reserve = придержать сервер: его никто не тронет
cmd-release = снять резерв
cmd-force-rebuild = пересоздать через статус
cmd-reset-attempts = разрешить новые попытки после неудач
cmd-label-server = дать серверу метки: /label_server СЕРВЕР ключ=значение …
cmd-jobs = все задания, сначала новые
cmd-job = одно задание, вживую
cmd-cancel = отменить задание
cmd-retry = продолжить остановленное задание
cmd-story = что происходило в задании
cmd-approvals = вопросы, которые ждут согласия
cmd-withdraw-approval = отозвать свой вопрос, пока на него нет ответа
cmd-users = люди и их роли
cmd-put-user = завести человека по его номеру: /put_user НОМЕР РОЛЬ
cmd-list-tokens = токены программ
cmd-revoke-token = навсегда отозвать токен: /revoke_token ИМЯ
cmd-invite = создать приглашение
cmd-lang = язык: English, Русский

## Buttons

button-servers = 🖥 Серверы
button-server = 🖥 Сервер
button-jobs = Задания
button-job = ⚙️ Задание
button-history = 🗂 Его задания
button-status = Как дела
button-approvals = ❓ Вопросы
button-users = « Люди
button-help = Что здесь можно?
button-refresh = 🔄 Обновить
button-manage = ✅ Взять
button-unmanage = Отпустить
button-reserve = 🔒 В резерв
button-release = 🔓 Снять резерв
button-provision = 🔧 Настроить
button-rebuild = ♻️ Пересоздать…
button-force-rebuild = ♻️ Пересоздать…
button-reset-attempts = 🔁 Разрешить попытки
button-again = 🔁 Ещё раз
button-retry = ▶️ Продолжить
button-cancel = 🚫 Отменить
button-story = 📜 Что было
button-approve = ⚠️ Согласен: стереть
button-refuse = ✖️ Отказать
button-withdraw = ↩️ Отозвать
button-show-plan = Показать план
button-admit = Дать доступ…
button-invite = ➕ Пригласить
button-role-guest = 🚫 Без доступа
button-role-viewer = 👁 Наблюдатель
button-role-operator = 🔧 Оператор
button-role-admin = 🔑 Администратор
button-invite-viewer = 👁 Наблюдатель: видит всё
button-invite-operator = 🔧 Оператор: ещё настраивает
button-invite-admin = 🔑 Администратор: может всё

## Over the screen

toast-not-yours = Это не ваша кнопка.
toast-guest = У вас нет доступа. Попросите приглашение у администратора.
toast-unknown = Эта кнопка устарела. Отправьте /help.
toast-flood = Слишком часто. Подождите полминуты.
toast-fresh = Обновлено
toast-below = Смотрите ниже
toast-asked = Пока ничего не сделано: прочтите план ниже и дайте согласие
toast-asked-before = Вопрос уже задан: вот он
toast-started = Начато: следите ниже
toast-joined = Это уже выполняется
toast-cancelling = Отменяю
toast-retried = Продолжаем
toast-role = { $name }: теперь { $role }
toast-approved = Согласие принято: { $handle }. Начинаем
toast-withdrawn = Отозвано: ничего не сделано
toast-withdrawn-by = Вопрос отозван. Кто просил и отозвал: { $by }
toast-withdrawn-refused = Уже есть отказ: ничего не сделано
toast-withdrawn-late = Поздно: уже есть согласие
toast-stale = Ничего не сделано: с тех пор изменилось «{ $what }»
toast-expired = Поздно: срок вопроса истёк, ничего не сделано
toast-answered =
    { $status ->
        [refused] Уже есть отказ: { $by }
        *[other] Уже есть согласие: { $by }. Второй раз не запустится
    }

## What is told without being asked

notice-discovered = 🆕 Новый сервер <b>{ $handle }</b> у { $provider }: { $address } · { $size } · { $label }
    Его никто не тронет, пока администратор не скажет, что он наш.
notice-guest = 👤 <b>{ $name }</b> (номер { $id }) пишет мне, доступа нет.
notice-role = 🔑 Вашу роль изменил(а) { $by }. Теперь вы <b>{ $role }</b>.
notice-incident = 🚨 <b>{ $about }</b>: { $what }
notice-incident-over = ✅ <b>{ $about }</b>: больше не беспокоит – { $what }
digest-title = 📚 <b>Ещё { $count } { $count ->
        [one] сообщение
        [few] сообщения
        *[many] сообщений
    }</b> сверх вашего часового лимита:
digest-older = … и более старых: { $count }

incident-identity-mismatch = сервер не тот, каким мы его знаем
    .do = Выясните, не переносил ли его провайдер. До тех пор его никто не тронет.
incident-provisioning-failed = настроить не удалось
    .do = Откройте сервер, посмотрите причину и попробуйте ещё раз оттуда.
incident-provider-api-unavailable = интерфейс провайдера недоступен
    .do = Пока делать ничего не нужно: проверяем каждую минуту. Задания ждут.
incident-server-missing = провайдер больше не показывает этот сервер
    .do = Проверьте, не отказались ли от него и оплачен ли он. Запись о нём остаётся здесь.
incident-platform = Провайдер
