-- trick: HANDLER
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- send: simple

handler cards open

handler cards read first

handler cards close
