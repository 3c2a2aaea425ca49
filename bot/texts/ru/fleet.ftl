# Servers, people, the whole.

server-status-discovered = обнаружен
server-status-pending-setup = ждёт настройки
server-status-provisioning = настраивается
server-status-force-rebuild = будет пересоздан
server-status-ready = готов
server-status-in-use = в работе
server-status-error = ошибка
server-status-maintenance = ручные работы
server-status-reserved = в резерве
server-status-decommissioned = списан

servers-title = <b>Серверы</b>
servers-none = Серверов пока нет. Они появятся здесь через минуту после заказа у провайдера.
servers-line = <b>{ $handle }</b> { $address }
servers-line-status = { " " }· { $status }
servers-line-labels = { " " }· <i>{ $labels }</i>
server-unknown = Не знаю сервера «{ $name }».
server-close = Может быть, один из этих?
server-managed = В управлении: Rackhand может с ним работать.
server-untouchable =
    { $why ->
        [reserved] 🔒 В резерве: его никто не тронет, пока резерв не снят.
        [decommissioned] Списан: его никто не тронет.
        *[other] Не в управлении: его никто не тронет.
    }
server-address = Адрес: <code>{ $address }</code>
server-provider = { $provider } № { $id }
server-labels = Метки: { $labels }
server-verified = Проверен по SSH: { $at }
server-attempts = ⚠️ Неудач подряд: { $attempts } из { $of }
server-missing = ⚠️ Нет в списке провайдера с { $at }
server-incident = 🚨 { $what } (с { $at })
server-job = ⚙️ Занят заданием: { $state }

done-manage = ✅ { $handle } теперь наш: настройка начнётся в течение минуты.
done-unmanage = ✅ { $handle } отпущен: его больше никто не тронет.
done-reserve = 🔒 { $handle } в резерве.
done-release =
    { $was ->
        [reserved] 🔓 Резерв с { $handle } снят. Он не в управлении, пока его не возьмёт администратор.
        [maintenance] 🔓 Работы на { $handle } окончены: в течение минуты он будет настроен заново.
        *[other] 🔓 Переустановка { $handle } отменена.
    }
done-provision = 🔧 { $handle }: начато.
done-rebuild = ♻️ { $handle }: начато.
done-force-rebuild = ♻️ { $handle } будет пересоздан.
done-reset-attempts = 🔁 { $handle }: можно пробовать снова.

choose-manage = Какой сервер взять в управление?
choose-unmanage = Какой сервер отпустить?
choose-reserve = Какой сервер придержать?
choose-release = С какого сервера снять резерв?
choose-provision = Какой сервер настроить? Диск останется.
choose-rebuild = Какой сервер пересоздать? Сначала покажу план.
choose-force-rebuild = Какой сервер пересоздать через статус? Сначала покажу план.
choose-reset-attempts = Какому серверу разрешить новые попытки?
choose-cancel = Какое задание отменить?
choose-retry = Какое задание продолжить?
choose-none-manage = Новых серверов нет.
choose-none-unmanage = Сейчас отпустить нечего.
choose-none-reserve = Сейчас придержать нечего.
choose-none-release = В резерве ничего нет.
choose-none-provision = Нет сервера в управлении, который можно сейчас настроить.
choose-none-rebuild = Нет сервера в управлении, который можно сейчас пересоздать.
choose-none-force-rebuild = Нет сервера в управлении, который можно сейчас пересоздать.
choose-none-reset-attempts = Неудачных попыток ни у кого нет.
choose-none-cancel = Сейчас ничего не выполняется.
choose-none-retry = Остановленных заданий нет.

users-title = <b>Люди</b>
users-line = <b>{ $name }</b> · { $role } · был(а) { $at }
user-card = 👤 <b>{ $name }</b>
    { $full } · номер <code>{ $id }</code>
    Роль: <b>{ $role }</b> · был(а) { $at }
    Сменить на:
invite-choice = Кем пригласить?
invite-made = 🎟 Приглашение на одного (роль: { $role }), действует один раз в течение { $left }. Передайте:
invite-link = https://t.me/{ $bot }?start={ $code }
invite-code = Или пусть пришлёт мне: <code>/start { $code }</code>
invite-code-alone = Боту нужно отправить: <code>/start { $code }</code>

status-calm = 🟢 <b>Всё в порядке.</b>
status-trouble = 🔴 <b>Что-то не так:</b>
status-incident = 🚨 <b>{ $about }</b>: { $what } (с { $at }): { $details }
status-servers = <b>Серверы</b>
status-jobs = <b>Задания</b>
status-approvals = ❓ { $count ->
        [one] Ждёт ответа { $count } вопрос
        [few] Ждут ответа { $count } вопроса
        *[many] Ждут ответа { $count } вопросов
    }
status-outbox = ✉️ { $count ->
        [one] Ждёт отправки { $count } сообщение
        [few] Ждут отправки { $count } сообщения
        *[many] Ждут отправки { $count } сообщений
    }, с { $at }
status-version = Rackhand { $version }
