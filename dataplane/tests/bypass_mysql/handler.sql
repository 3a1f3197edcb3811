-- trick: HANDLER
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- send: simple

handler cards open

handler cards read first

handler cards close
