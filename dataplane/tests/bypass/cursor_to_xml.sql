-- trick: cursor_to_xml
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- send: simple

begin; declare c cursor for select pan from cards; select cursor_to_xml('c', 10, true, false, ''); rollback
