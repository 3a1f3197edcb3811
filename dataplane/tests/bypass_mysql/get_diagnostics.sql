-- trick: the message of an error
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- send: simple

select extractvalue(1, concat('~', (select pan from cards where id = 1)))

get diagnostics condition 1 @text = message_text

select @text
