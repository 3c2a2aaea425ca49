# Железо, которое ведёт OpenStack Ironic. Состояния узлов показаны словами самого Ironic.

cmd-nodes = узлы Ironic (железо)
cmd-node = один узел
cmd-unprovision = снять узел и стереть его
cmd-end-maintenance = закончить обслуживание узла, когда он исправлен

nodes-title = <b>Узлы</b>
nodes-none = У Ironic нет узлов.
nodes-line = <b>{ $name }</b> · { $state }
nodes-line-maintenance = { " " }· 🛠 обслуживание
node-class = Тип: { $class }
node-power = Питание: { $power }
node-instance = Занят под: <code>{ $instance }</code>
node-since = В этом состоянии с { $at }
node-maintenance = 🛠 Выведен из работы: { $why }
node-error = ⚠️ { $error }
node-cleaning-off = Очистка выключена: между использованиями его не стирают.
node-protected = 🔒 Защищён: Ironic его не снимет.
node-next-deploy-failed = 👉 Нажмите «Снять»: узел освободится, и его можно установить заново.
node-next-clean-failed = 👉 Исправьте, о чём он говорит, и нажмите «Взять в управление», а потом «Сделать доступным».
node-next-error = 👉 Исправьте, о чём он говорит, и нажмите «Снять» ещё раз.
node-next-maintenance = 👉 Когда исправите, нажмите «Закончить обслуживание»: до тех пор его никому не дают.
node-next-maintenance-admin = 👉 Его никому не дают, пока администратор не закончит обслуживание.
node-next-held = ⏸ Его держит один из шагов. 👉 Он пойдёт дальше, когда в Ironic ему скажут <code>unhold</code>.
node-next-moving = ⏳ Он в пути: «Обновить» покажет, как дела.
node-which = Какой узел? Список: /nodes
node-which-unprovision = Чтобы снять узел и ничего не стереть, пошлите <code>/unprovision УЗЕЛ clean=false</code>.
node-which-image = Какой образ? Пошлите <code>/provision { $name } ОБРАЗ</code>: номер, имя или адрес образа.

button-nodes = 🗄 Узлы
button-node = 🗄 Узел
button-node-provision = 💿 Установить
button-node-unprovision = 🧹 Снять…
button-approve-down = ⚠️ Согласен: снять
button-approve-provide = ⚠️ Согласен: сделать доступным
button-node-manage = ✅ Взять в управление
button-node-provide = 📤 Сделать доступным…
button-node-end-maintenance = 🛠 Закончить обслуживание
toast-node-started = Начато: { $name }
done-node-provision = 💿 { $name }: устанавливается { $image }.
done-node-manage = ✅ { $name }: Ironic проверяет его BMC.
done-node-end-maintenance = 🛠 { $name }: обслуживание закончено.

plan-unprovision-server = снятие
approval-title-unprovision-server = 🧹 <b>Снять { $handle }?</b>
approval-what-unprovision-server = Ironic снимет узел: всё, что на нём работает, остановится, и он освободится для других.
loss-not-wiped = и всё же ничего не стирается: следующий владелец сможет прочесть, что осталось на дисках
plan-provide-node = сделать доступным
approval-title-provide-node = 📤 <b>Сделать { $handle } доступным?</b>
approval-what-provide-node = Ironic очистит узел, если очистка включена, и он освободится для других.
loss-none = ничего: очистка выключена, ничего не стирается, и следующий владелец сможет прочесть, что осталось на дисках
fact-node = Узел
fact-name = Имя
fact-instance = Занят под
fact-provision-state = Состояние
fact-since = В этом состоянии с
fact-image = На нём
fact-cleaning = Очистка
fact-cleaning-on = включена
fact-cleaning-off = выключена
fact-cleaning-configured = как настроено в Ironic

job-name-unprovision = снятие
job-doing-unprovision = Снимаю <b>{ $handle }</b>
job-parked-unprovision = Снятие <b>{ $handle }</b> остановлено: нужны вы
job-failed-unprovision = Не удалось снять <b>{ $handle }</b>
job-cancelled-unprovision = Снятие <b>{ $handle }</b> отменено
job-done-unprovision = <b>{ $handle }</b> снова свободен, за { $took }
job-cancelled-half-way-node = ⚠️ Что Ironic уже велено, то он доделает: посмотрите на узел.

job-name-provide = подготовка
job-doing-provide = Делаю <b>{ $handle }</b> доступным
job-parked-provide = Подготовка <b>{ $handle }</b> остановлена: нужны вы
job-failed-provide = Не удалось сделать <b>{ $handle }</b> доступным
job-cancelled-provide = Подготовка <b>{ $handle }</b> отменена
job-done-provide = <b>{ $handle }</b> доступен, за { $took }

step-clean-off = выключить очистку
step-delete = велеть Ironic снять узел
step-provide = велеть Ironic сделать узел доступным
step-await-available = дождаться, пока он освободится
step-clean-back = вернуть очистку

error-ironic-none = Ironic здесь не настроен.
error-node-unknown = Не знаю узла «{ $name }». Список: /nodes
error-node-not-available = { $name } не свободен: занят, выведен из работы или не готов.
error-node-none-matches = Нет свободного подходящего узла.
error-image-unknown = Образ «{ $name }» не годится: { $detail }
error-node-not-provisioned = На { $name } нет ничего, что можно снять.
error-node-not-provisioning = На { $name } ничего не устанавливается: он { $seen }.
error-node-not-unprovisioning = { $name } никто не снимает: он { $seen }.
error-node-busy = Ironic занят узлом { $name }. Попробуйте чуть позже.
error-node-past-calling-off =
    Ironic уже занялся { $name }, отсюда это не остановить: задание { $job } проследит до конца.
    👉 Очистку останавливает «abort» в Ironic.
error-node-protected = { $name } защищён в Ironic. Сначала защиту снимает тот, кто её поставил.
error-node-unfit = { $name } в таком виде не установить: { $detail }
error-node-taken = Узел «{ $name }» уже есть.
error-node-wrong-state = { $name } не в том состоянии: { $detail }
error-ironic-refused = Ironic отказал: { $detail }
ironic-silent = Ironic не отвечает. Ничего не сделано: попробуйте чуть позже.
ironic-silent-begun = Ironic ещё не ответил. То, о чём вы просили, начато и может произойти: посмотрите на узел, прежде чем просить снова.
error-ironic-away =
    Ironic не отвечает как надо: { $detail }
    👉 Попробуйте через минуту: что с узлами, покажет /nodes

reason-node-busy = Ironic занят узлом: { $detail }
    .do = Попробуйте снова, когда он закончит.
reason-node-gone = Ironic больше не знает этого узла.
    .do = Отмените задание.
reason-node-other-job = Этим узлом уже занято другое задание.
reason-node-changed =
    ⚠️ Это не то, на что дано согласие: { $what ->
        [cleaning] очистка
        [image] что на нём
        [instance] назначение
        [name] имя
        [since] с какого времени он в этом состоянии
        *[other] состояние
    } – было <code>{ $known }</code>, стало <code>{ $seen }</code>. Ironic ничего не велено.
    .do = Отмените задание, посмотрите на узел и, если ещё нужно, запросите заново.
reason-node-changed-state = ⚠️ Узел не в том состоянии, на которое дано согласие: { $detail }. Ironic ничего не велено.
    .do = Отмените задание, посмотрите на узел и, если ещё нужно, запросите заново.
reason-node-moves =
    { $percent ->
        [0] Ironic: { $seen }
        *[other] Ironic: { $seen }, примерно { $percent } %
    }
reason-node-halted =
    ⚠️ Ironic дальше не идёт ({ $seen }): { $detail }
    👉 Почините машину или её BMC. Всё продолжится, когда Ironic вернёт узел в работу.
reason-node-still-going = Узел ещё { $seen }: вернуть очистку можно, только когда это закончится.
    .do = Продолжите, когда узел остановится.
reason-node-failed = У Ironic не вышло ({ $seen }): { $detail }
    .do = Исправьте, о чём он говорит, и посмотрите на узел: его карточка скажет, что дальше.
reason-node-strayed = Узел оказался в другом состоянии: { $seen }.
    .do = Узнайте в Ironic, кто его сдвинул. Отмените задание или продолжите, когда узел снова на пути.
reason-node-switch-waits = Вернуть очистку пока нельзя, пробую снова: { $detail }
reason-node-free-wiped = Ironic его очистил.
reason-node-free-kept = Как и просили, ничего не стёрто.
reason-node-free-not-wiped = ⚠️ Ничего не стёрто: автоматическая очистка в Ironic выключена.
reason-node-free-unseen = ⚠️ Очистки не было видно: возможно, в Ironic она выключена. Не рассчитывайте, что что-то стёрто.
reason-ironic-refused = Ironic отказал: { $detail }
    .do = Посмотрите на узел в Ironic и продолжите.
reason-ironic-away = Ironic не отвечает как надо: { $detail }
    .do = Продолжите, когда Ironic вернётся.
