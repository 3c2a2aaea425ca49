# Jobs and approvals.

job-status-queued = в очереди
job-status-running = выполняется
job-status-waiting = ждёт
job-status-succeeded = готово
job-status-failed = не удалось
job-status-cancelled = отменено
job-status-parked = остановлено, нужен человек

job-name-setup = настройка
job-name-rebuild = пересоздание
job-name-recover = восстановление
job-name-other = задание

job-doing-setup = Настраиваю <b>{ $handle }</b>
job-doing-rebuild = Пересоздаю <b>{ $handle }</b>
job-doing-recover = Восстанавливаю <b>{ $handle }</b>
job-doing-other = Работаю с <b>{ $handle }</b>
job-parked-setup = Настройка <b>{ $handle }</b> остановлена: нужны вы
job-parked-rebuild = Пересоздание <b>{ $handle }</b> остановлено: нужны вы
job-parked-recover = Восстановление <b>{ $handle }</b> остановлено: нужны вы
job-parked-other = Работа с <b>{ $handle }</b> остановлена: нужны вы
job-failed-setup = Не удалось настроить <b>{ $handle }</b>
job-failed-rebuild = Не удалось пересоздать <b>{ $handle }</b>
job-failed-recover = Не удалось восстановить <b>{ $handle }</b>
job-failed-other = Работа с <b>{ $handle }</b> не удалась
job-cancelled-setup = Настройка <b>{ $handle }</b> отменена
job-cancelled-rebuild = Пересоздание <b>{ $handle }</b> отменено
job-cancelled-recover = Восстановление <b>{ $handle }</b> отменено
job-cancelled-other = Работа с <b>{ $handle }</b> отменена
job-done-setup = <b>{ $handle }</b> готов: настроен и проверен за { $took }
job-done-rebuild = <b>{ $handle }</b> готов: пересоздан и проверен за { $took }
job-done-recover = <b>{ $handle }</b> снова в строю, за { $took }
job-done-other = <b>{ $handle }</b>: готово за { $took }

job-queued = Ждёт своей очереди.
job-cancelling = Отменяю и возвращаю, что можно вернуть…
job-undoing = Прибираю за собой…
job-step = Шаг { $n } из { $of }: { $step }
job-step-unknown = Шаг: { $step }
job-task =
    { $of ->
        [0] Задача { $n }: { $name }
        *[other] Задача { $n } из { $of }: { $name }
    }
job-time = Прошло { $elapsed }
job-time-left = Прошло { $elapsed }, осталось примерно { $left }
job-time-over = Прошло { $elapsed }; обычно хватает { $usual }
job-over-well = Готово за { $took }.
job-over-badly = Не вышло: через { $took }, на шаге «{ $step }».
job-stopped-at = На шаге «{ $step }»:
job-failed-at = На шаге «{ $step }», через { $took }:
job-cancelled-by = Отмена: { $by }.
job-cancelled-half-way = ⚠️ Работа была на полпути: настройте сервер заново, прежде чем на него полагаться.

jobs-title = <b>Задания</b>, сначала новые
jobs-title-server = <b>Задания { $handle }</b>, сначала новые
jobs-none = Заданий пока нет.
jobs-line = <b>{ $handle }</b> { $what } · <code>{ $id }</code> · { $at }
story-title = 📜 <b>{ $handle }</b>, задание <code>{ $id }</code>
story-none = Пока ничего не произошло.

step-authorize = проверка, можно ли его трогать
step-prove-identity = проверка, тот ли это сервер
step-reinstall = запрос на переустановку у провайдера
step-await-reinstall = ожидание переустановки
step-reset-password = запрос нового пароля root
step-await-password = ожидание нового пароля
step-await-ssh = ожидание, пока сервер нас впустит
step-access = вход по ключу, пароли выключены
step-base = пакеты, Docker, межсетевой экран
step-verify = наши собственные проверки
step-ready = приёмка

## Approvals

plan-rebuild-server = пересоздать
plan-force-rebuild-server = пересоздать через статус
approval-title-rebuild-server = ♻️ <b>Пересоздать { $handle }?</b>
approval-title-force-rebuild-server = ♻️ <b>Пересоздать { $handle } через статус?</b>
approval-what-rebuild-server = Диск будет стёрт, система установлена заново, сервер настроен с нуля.
approval-what-force-rebuild-server = Статус станет force_rebuild: диск будет стёрт, система установлена заново, сервер настроен с нуля.
approval-fact = { $name }: <code>{ $value }</code>
approval-losses = <b>Будет потеряно навсегда:</b>
loss-disk = всё, что на диске
loss-backups = резервные копии у самого провайдера
fact-provider = Провайдер
fact-provider-id = Номер там
fact-address = Адрес
fact-host-key = Ключ хоста
fact-target = Сервер
fact-operation = Действие
fact-input = Что просили
fact-losses = Потери
fact-none = нет
approval-asked-by = Просит { $by }
approval-until = ⏱ На ответ { $left }, до { $until }
approval-used = ✅ Согласие: { $by }, { $at }
approval-refused = ✖️ Отказ: { $by }, { $at }. Ничего не сделано.
approval-withdrawn = ↩️ Отозвано тем, кто просил: { $by }, { $at }. Ничего не сделано.
approval-expired = ⌛ Вовремя никто не ответил. Ничего не сделано.
approval-stale = ⚠️ Ничего не сделано, потому что с момента вопроса:
approval-changed = • { $what }: было <code>{ $was }</code>, стало <code>{ $is }</code>
approval-ask-anew = 👉 Если это ещё нужно, запросите снова.
approval-expiring = ⏱ <b>{ $handle }</b>: на вопрос осталось { $left }.
approvals-none = Вопросов, ждущих ответа, нет.
approvals-title = <b>Ждут согласия</b>
approvals-line = • <b>{ $handle }</b>: { $what }, просит { $by }, осталось { $left }
approval-status-asked = открыт
approval-status-approved = есть согласие
approval-status-refused = отказ
approval-status-expired = срок истёк
approval-status-used = есть согласие
