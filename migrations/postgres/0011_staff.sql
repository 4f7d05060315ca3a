-- Staff looks for what somebody has ordered by their address of mail.
CREATE INDEX sales_order_by_email ON sales_order (email, number);
