-- trick: a statement put together
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- send: simple

set @text = concat('select pan ', 'from cards')

prepare p from @text

execute p
