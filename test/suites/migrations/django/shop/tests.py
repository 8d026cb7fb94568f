import decimal
import uuid

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, Sum
from django.test import TestCase, TransactionTestCase

from .models import Line, Order, Product


class Shopping(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ana = User.objects.create_user('ana', 'ana@example.org', 'secret')
        cls.products = Product.objects.bulk_create(
            Product(name=f'product {n}', price=n, tags=[f'tag {n % 3}'], facts={'n': n}, extra={'k': str(n)})
            for n in range(30)
        )

    def test_orders(self):
        order = Order.objects.create(buyer=self.ana, reference=uuid.uuid4())
        for product in self.products[:5]:
            Line.objects.create(order=order, product=product, count=2)
        total = order.line_set.aggregate(total=Sum(F('count') * F('product__price')))['total']
        self.assertEqual(total, decimal.Decimal(20))
        self.assertEqual(Order.objects.annotate(n=Count('products')).get().n, 5)

    def test_types(self):
        self.assertEqual(Product.objects.filter(tags__contains=['tag 1']).count(), 10)
        self.assertEqual(Product.objects.get(facts__n=7).extra, {'k': '7'})

    def test_savepoints(self):
        with self.assertRaises(IntegrityError), transaction.atomic():
            Product.objects.create(name='product 1', price=1)
        with self.assertRaises(IntegrityError), transaction.atomic():
            Product.objects.create(name='cheap', price=-1)
        self.assertEqual(Product.objects.update_or_create(name='product 1', defaults={'price': 9})[1], False)

    def test_iterator(self):
        self.assertEqual(sum(1 for _ in Product.objects.iterator(chunk_size=7)), 30)


class Committing(TransactionTestCase):
    def test_locks(self):
        Product.objects.create(name='one', price=1)
        with transaction.atomic():
            Product.objects.select_for_update(skip_locked=True).get(name='one')
        self.assertEqual(Product.objects.count(), 1)

    def test_introspection(self):
        tables = connection.introspection.table_names()
        self.assertIn('shop_product', tables)
